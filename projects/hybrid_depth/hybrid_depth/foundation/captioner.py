"""Captions of images by an image-to-text model of `transformers`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from ..devices import for_inference
from .transformers_models import load_pretrained


class Captioner:
    """Image-to-text model by name, a stand-in for ExpansionNet v2.

    The captions of WorDepth and Vision-Language Embodiment are by ExpansionNet v2
    (docs/reference/wordepth.md, "WorDepth"), which no maintained library has; any captioning
    model of `transformers` takes its place here, so captions differ from the published ones. Only
    `.safetensors` weights are read, and no code of a model's repository is run.

    Args:
        name: folder, or name on huggingface.co, of a model with image processor and tokenizer:
            BLIP, GIT, ViT-GPT2 and others.
        device: device of the model.
        max_tokens: longest caption.

    Raises:
        HybridDepthError: transformers is not installed, the model cannot be loaded, or PyTorch
            cannot use the device.
    """

    def __init__(self, name: str, device: str = 'cpu', max_tokens: int = 40) -> None:
        model, self.images, self.tokenizer = load_pretrained(
            'AutoModelForImageTextToText',
            name,
            'an image-to-text model',
            'AutoImageProcessor',
            'AutoTokenizer',
        )
        self.model = for_inference(model, device)
        self.device, self.max_tokens = device, max_tokens

    @torch.no_grad()
    def __call__(self, images: Sequence[Image.Image]) -> list[str]:
        """Captions of RGB images, by greedy decoding, so that a run can be repeated."""
        pixels = self.images(list(images), return_tensors='pt').pixel_values.to(self.device)
        tokens = self.model.generate(
            pixel_values=pixels, max_new_tokens=self.max_tokens, do_sample=False, num_beams=1
        )
        texts = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [' '.join(text.split()) for text in texts]
