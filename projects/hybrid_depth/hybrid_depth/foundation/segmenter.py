"""Semantic segmentation by a model of `transformers`."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ..devices import for_inference
from ..errors import HybridDepthError
from ..geometry.scene_classes import CLASSES, ROAD, UNLABELLED
from .transformers_models import load_pretrained


class Segmenter:
    """Segmentation model by name, as Cityscapes train ids.

    Classes are matched by their names in the model's config; those that Cityscapes does not have
    are unlabelled. Only `.safetensors` weights are read, and no code of a model's repository is
    run.

    Args:
        name: folder, or name on huggingface.co, of a semantic segmentation model trained on
            Cityscapes classes, such as nvidia/segformer-b0-finetuned-cityscapes-1024-1024.
        device: device of the model.

    Raises:
        HybridDepthError: transformers is not installed, the model cannot be loaded, or it does not
            know roads.
    """

    def __init__(self, name: str, device: str = 'cpu') -> None:
        model, self.images = load_pretrained(
            'AutoModelForSemanticSegmentation',
            name,
            'a semantic segmentation model',
            'AutoImageProcessor',
        )
        self.model, self.device = for_inference(model, device), device
        names = {index: text.lower() for index, text in self.model.config.id2label.items()}
        known = {text: index for index, text in enumerate(CLASSES)}
        self.table = np.full(max(names) + 1, UNLABELLED, np.uint8)
        for index, text in names.items():
            self.table[index] = known.get(text, UNLABELLED)
        if ROAD not in self.table:
            raise HybridDepthError(
                f'{name}: expected a model with the classes of Cityscapes (road, sidewalk, ...), '
                f'got {list(names.values())[:10]}; use a model trained on Cityscapes'
            )

    @torch.no_grad()
    def __call__(self, image: Image.Image) -> np.ndarray:
        """Train ids (H, W) uint8 of an RGB image, at its size."""
        inputs = self.images(image, return_tensors='pt').to(self.device)
        found = self.images.post_process_semantic_segmentation(
            self.model(**inputs), target_sizes=[image.size[::-1]]
        )
        return self.table[found[0].cpu().numpy()]
