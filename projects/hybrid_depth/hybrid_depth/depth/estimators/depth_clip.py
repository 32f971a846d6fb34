"""DepthCLIP: depth from CLIP's similarity of image cells and distance words, without training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor

from ...foundation import resample_channels
from ...geometry.depth_map import DepthMap
from .base import Cameras, DepthEstimator, full_precision
from .feature_memory import FeatureMemory

WORDS = ('giant', 'extremely close', 'close', 'not in distance', 'a little remote', 'far', 'unseen')
BINS = (1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0)


@MODELS.register_module()
class DepthCLIP(DepthEstimator):
    """Training-free metric depth from distance words (DepthCLIP, arXiv 2207.01077).

    Depth of a cell of the tower's last map: the bins, weighted by the softmax of 100 * cosine /
    temperature of its feature and the sentences "This object is {word}", averaged over the image
    and its mirror image, then resized. Of RN50's 2048 channels every second one is compared, as
    released; other widths are resampled in the same way (`resample_channels`). Facts:
    docs/reference/wordepth.md, "DepthCLIP". The sentences are encoded when the model is built; the
    text tower is then freed.

    Args:
        encoder: config of a `CLIPDepthEncoder` of any open_clip model; published: RN50.
        words: distance words.
        bins: depth of each word, metres; the published ones are for NYU, indoors.
        template: sentence with {word}.
        temperature: published 0.1.
        mirror: average with the mirror image.
        data_preprocessor, init_cfg: see `DepthEstimator`.

    Raises:
        ValueError: not one positive bin per word.
    """

    #: `hybrid-depth test` needs no checkpoint.
    training_free = True

    def __init__(
        self,
        encoder: dict,
        words: Sequence[str] = WORDS,
        bins: Sequence[float] = BINS,
        template: str = 'This object is {word}',
        temperature: float = 0.1,
        mirror: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if len(bins) != len(words) or min(bins) <= 0:
            raise ValueError(
                f'DepthCLIP: expected one bin above 0 m for each of {len(words)} words, got {bins}'
            )
        super().__init__(
            encoder,
            None,
            min_depth=min(bins),
            max_depth=max(bins),
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        sentences = [template.format(word=word) for word in words]
        self.register_buffer('text', self.encoder.clip.sentence_features(sentences))
        self.encoder.clip.drop_text_tower()
        self.register_buffer('bins', torch.tensor(bins), persistent=False)
        self.temperature, self.mirror = temperature, mirror

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Metric depth of frame 0; see `DepthEstimator.predict`."""
        self.require_current_frame(frames)
        images = frames[0]
        cells = self.cells(images)
        if self.mirror:
            cells = (cells + self.cells(images.flip(-1)).flip(-1)) / 2
        size = tuple(images.shape[-2:])
        depth = F.interpolate(cells, size=size, mode='bilinear', align_corners=False)
        return DepthMap(depth, 'metric')

    def cells(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB in [0, 1] -> depth (B, 1, h, w) of the last map's cells."""
        feature = full_precision(self.encode(images).maps[-1])
        feature = F.normalize(resample_channels(feature, self.text.shape[1], dim=1), dim=1)
        logits = torch.einsum('bchw,nc->bnhw', feature, self.text) * (100 / self.temperature)
        return torch.einsum('bnhw,n->bhw', logits.softmax(1), self.bins)[:, None]
