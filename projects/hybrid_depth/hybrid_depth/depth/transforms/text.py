"""Text features of a sample."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.registry import TRANSFORMS

from ...datasets.captions import read_texts
from ...errors import DepthDataError
from ...foundation.text_features import TextFeatures


@TRANSFORMS.register_module()
class LoadText:
    """Text feature of frame 0 from its caption and object sentences: sets `text`.

    The features are read from a file (`hybrid-depth make-text-features`), so no text tower runs.
    The feature of a caption, or the mean of several, is `text` (E,); with object sentences their
    mean follows, zero without objects: (2 * E,). How Vision-Language Embodiment makes one feature
    of several sentences is not published; a mean is independent of their number, and next to the
    caption it does not drown it.

    Args:
        data_root: folder that the image names of the texts are relative to, the data set's.
        captions: file of captions, `captions.jsonl` of a toy world or of `hybrid-depth
            make-captions`.
        features: file of features of all texts.
        objects: file of object sentences; None: captions alone.

    Raises:
        FileNotFoundError: a file does not exist.
        DepthDataError: an image without a caption or a text without a feature.
    """

    def __init__(
        self, data_root: str, captions: str, features: str, objects: str | None = None
    ) -> None:
        self.root, self.path = Path(data_root), captions
        self.features = TextFeatures.read(features)
        self.captions = read_texts(captions)
        self.objects = None if objects is None else read_texts(objects)

    def __call__(self, results: dict) -> dict:
        image = Path(results['img_paths'][0]).relative_to(self.root).as_posix()
        if not self.captions.get(image):
            raise DepthDataError(
                f'{self.path}: expected a caption of {image}, got none; make captions of all '
                'images: hybrid-depth make-captions'
            )
        text = self._mean(self.captions[image])
        if self.objects is not None:
            text = torch.cat([text, self._mean(self.objects.get(image, []))])
        return dict(results, text=text)

    def _mean(self, texts: list[str]) -> torch.Tensor:
        if not texts:
            return torch.zeros(self.features.width)
        return torch.stack([self.features[text] for text in texts]).mean(0)
