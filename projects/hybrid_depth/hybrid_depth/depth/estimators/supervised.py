"""Depth supervised by depth maps of the data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from ...errors import MissingInputError
from ...geometry.depth_map import DepthMap
from ...losses import edge_aware_smoothness, log_depth_error, normalize_by_mean
from .base import Cameras, DepthEstimator, full_precision
from .feature_memory import FeatureMemory


@MODELS.register_module()
class SupervisedDepth(DepthEstimator):
    """Metric depth from one image, supervised by measured or by embodied depth.

    With `target='physics_depth'` this is the first step of arXiv 2408.01565: supervision by the
    depth that follows from the camera's mounting and class labels, before `Monodepth2` goes on from
    its checkpoint (`load_from`) with the photometric loss. Encoder and decoder are those of
    `Monodepth2`, so that every tensor fits.

    The loss is the mean of |log depth - log target| over the pixels that have a target, which
    ignores neither scale nor far pixels, averaged over the decoder's scales at the image's size.

    Args:
        encoder, decoder: see `DepthEstimator`.
        target: depth maps of the inputs, by their name in `depth_folders` of the data set:
            'gt_depth', 'physics_depth', ...
        smoothness_weight: of the edge-aware smoothness, which carries depth to pixels without a
            target.
        **kwargs: passed to `DepthEstimator`.
    """

    def __init__(
        self,
        encoder: dict,
        decoder: dict,
        target: str = 'gt_depth',
        smoothness_weight: float = 1e-3,
        **kwargs,
    ) -> None:
        super().__init__(encoder, decoder, **kwargs)
        self.target, self.smoothness_weight = target, smoothness_weight
        self.to(memory_format=self.memory_format)

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Metric depth of frame 0, see `DepthEstimator.predict`."""
        disparity = super().predict(frames, cameras).values
        return DepthMap(1 / disparity, 'metric')

    def loss(
        self, inputs: dict, data_samples: Sequence[BaseDataElement] | None = None
    ) -> dict[str, Tensor]:
        """`loss_depth`, `loss_smoothness`, and `known_share`, the share of pixels with a target.

        Raises:
            MissingInputError: the inputs have no such depth maps.
            ValueError: a map of another size than the image.
        """
        if self.target not in inputs:
            raise MissingInputError(
                f'SupervisedDepth: expected {self.target} (B, 1, H, W) in the inputs, got '
                f'{sorted(inputs)}; add LoadDepthMaps to the pipeline, and '
                f'depth_folders=dict({self.target}=FOLDER) to the data set'
            )
        target = inputs[self.target]
        images = inputs.get('augmented', inputs['images'])[0]
        if target.shape != (len(images), 1, *images.shape[-2:]):
            raise ValueError(
                f'SupervisedDepth: expected {self.target} of the size of the images, '
                f'{(len(images), 1, *images.shape[-2:])}, got {tuple(target.shape)}'
            )
        outputs = self.decode(images, self.view(inputs))
        with torch.autocast(images.device.type, enabled=False):
            target = target.clamp(max=self.max_depth)
            errors, smoothness = [], []
            for scale, output in outputs.items():
                output = full_precision(output)
                disparity = self.resized_disparity(output, images.shape[-2:])
                errors.append(log_depth_error(1 / disparity, target))
                smooth = edge_aware_smoothness(normalize_by_mean(disparity), inputs['images'][0])
                smoothness.append(smooth / 2**scale)
            return dict(
                loss_depth=torch.stack(errors).mean(),
                loss_smoothness=self.smoothness_weight * torch.stack(smoothness).mean(),
                known_share=(target > 0).float().mean(),
            )
