"""Captions of images by an image-to-text model of `transformers`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from ..errors import HybridDepthError


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
        HybridDepthError: transformers is not installed, or the model cannot be loaded.
    """

    def __init__(self, name: str, device: str = 'cpu', max_tokens: int = 40) -> None:
        transformers = _transformers()
        options = dict(trust_remote_code=False)
        try:
            self.model = transformers.AutoModelForImageTextToText.from_pretrained(
                name, use_safetensors=True, **options
            )
            self.images = transformers.AutoImageProcessor.from_pretrained(name, **options)
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(name, **options)
        except (OSError, ValueError, KeyError) as error:
            raise HybridDepthError(
                f'expected an image-to-text model of transformers in {name} (folder or name on '
                f'huggingface.co) with .safetensors weights, got: {str(error)[:500]}'
            ) from error
        self.model = self.model.eval().to(device)
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


def _transformers():
    try:
        import transformers
    except ImportError as error:
        raise HybridDepthError(
            'captions need the package transformers, which is not installed: pip install '
            '"transformers>=4.50", or write the captions yourself (hybrid_depth/datasets/'
            'captions.py describes the file)'
        ) from error
    return transformers
