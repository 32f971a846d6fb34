"""Language alignment, stage 1 of Hybrid-depth."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...foundation import resample_channels
from ...losses import language_ranking_loss, patch_contrast_loss
from .base import full_precision


@MODELS.register_module()
class LanguageAlignment(BaseModel):
    """Language alignment (stage 1 of Hybrid-depth): ranking of ground patches by depth prompts.

    Hybrid-depth, arXiv 2510.09320; docs/reference/hybrid_depth.md, "Stage 1 losses". The fused
    features of all levels at a patch are concatenated, resampled to the width of the text features
    and normalised to unit length; logits as in `LanguageHead`. Ranking loss: sum over the
    lines of a batch, divided by the number of images; contrast loss: mean over the lines. The field
    `patches` (P, K, 2) of a data sample has P lines of K points: x and y in image pixels, in the
    order of the encoder's K depth prompts (`LanePatches`, `GroundPatches`).

    Args:
        encoder: `HybridDepthEncoder` config with prompts of fixed words. The release trains
            'clip.visual' and 'align'.
        ranking_weight, contrast_weight: weights of the two losses.
        both_ways: see `language_ranking_loss`.
        channels_last: use channels-last memory format for weights and images.
        data_preprocessor: `DepthDataPreprocessor` by default.

    Raises:
        ValueError: the encoder has no text part.
    """

    def __init__(
        self,
        encoder: dict,
        ranking_weight: float = 1.0,
        contrast_weight: float = 1.0,
        both_ways: bool = False,
        channels_last: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type='DepthDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        self.encoder = MODELS.build(encoder)
        if getattr(self.encoder, 'language', None) is None:
            raise ValueError(
                'LanguageAlignment: expected an encoder with depth prompts (HybridDepthEncoder '
                f'with clip and text=dict()), got {encoder}'
            )
        self.ranking_weight, self.contrast_weight = ranking_weight, contrast_weight
        self.both_ways = both_ways
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.memory_format)

    def forward(
        self, inputs: dict, data_samples: Sequence[BaseDataElement], mode: str = 'tensor'
    ) -> dict | list[BaseDataElement] | Tensor:
        """Entry point of mmengine.

        Args:
            inputs: output of `DepthDataPreprocessor`; the network uses `augmented` if present.
            data_samples: one per image, with `patches`.
            mode: 'loss', 'predict', or 'tensor' for the logits of all patches (P, K, N).

        Raises:
            ValueError: any other mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.logits(self.patch_features(inputs, data_samples))
        raise ValueError(f"mode: expected 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: dict, data_samples: Sequence[BaseDataElement]) -> dict[str, Tensor]:
        """`loss_ranking` and `loss_contrast`, zero for batches without lines of patches."""
        features = self.patch_features(inputs, data_samples)
        with torch.autocast(features.device.type, enabled=False):
            ranking = language_ranking_loss(self.logits(features), self.both_ways).sum()
            contrast = patch_contrast_loss(features).sum()
        return dict(
            loss_ranking=self.ranking_weight * ranking / len(data_samples),
            loss_contrast=self.contrast_weight * contrast / max(len(features), 1),
        )

    def predict(
        self, inputs: dict, data_samples: Sequence[BaseDataElement]
    ) -> list[BaseDataElement]:
        """Data samples with the logits of their patches, `patch_logits` (P, K, N)."""
        logits = self.logits(self.patch_features(inputs, data_samples))
        counts = [len(sample.patches) for sample in data_samples]
        for sample, patch_logits in zip(data_samples, logits.split(counts), strict=True):
            sample.patch_logits = patch_logits
        return list(data_samples)

    def logits(self, features: Tensor) -> Tensor:
        """Unit vectors (P, K, E) -> similarity logits (P, K, N) of the encoder's N prompts."""
        language = self.encoder.language
        return features @ (language.scale * language.text_matrix()).T.to(features.dtype)

    def patch_features(self, inputs: dict, data_samples: Sequence[BaseDataElement]) -> Tensor:
        """Unit vectors (P, K, E) of all patches of a batch, in order of images, float32 or better.

        A patch is the cell that contains its point, at every level; points outside the image
        belong to the nearest border cell.

        Raises:
            ValueError: images without `patches`, or lines without one point per prompt.
        """
        patches = self._patches(data_samples)
        images = inputs.get('augmented', inputs['images'])[0]
        maps = self.encoder.fuse(images.contiguous(memory_format=self.memory_format)).maps
        points = torch.cat(patches)
        counts = torch.tensor([len(lines) for lines in patches], device=points.device)
        image = torch.arange(len(patches), device=points.device).repeat_interleave(counts)
        size = tuple(images.shape[-2:])
        joined = torch.cat([_pick(level, image, points, size) for level in maps], dim=-1)
        width = self.encoder.language.matrix.shape[1]
        return F.normalize(resample_channels(full_precision(joined), width, dim=-1), dim=-1)

    def _patches(self, data_samples: Sequence[BaseDataElement]) -> list[Tensor]:
        prompts = len(self.encoder.language.matrix)
        found = [getattr(sample, 'patches', None) for sample in data_samples]
        if any(lines is None or lines.shape[1:] != (prompts, 2) for lines in found):
            shapes = [None if lines is None else tuple(lines.shape) for lines in found]
            raise ValueError(
                f'LanguageAlignment: expected patches (lines, {prompts}, 2) for every image, one '
                f'point per prompt, got {shapes}; add LanePatches or GroundPatches with '
                f'num_points={prompts} to the pipeline, before PackFrames'
            )
        return found


def _pick(level: Tensor, image: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    """Cells of a map (B, C, h, w) at points (P, K, 2) of images (P,) of `size` -> (P, K, C)."""
    rows, columns = level.shape[-2:]
    column = (points[..., 0] * columns / size[1]).long().clamp(0, columns - 1)
    row = (points[..., 1] * rows / size[0]).long().clamp(0, rows - 1)
    return level.permute(0, 2, 3, 1)[image[:, None], row, column]
