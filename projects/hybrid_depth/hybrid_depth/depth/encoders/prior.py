"""Depth encoders with a geometric prior: depth that is known before looking at the image."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace

import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from torch import Tensor, nn

from ...geometry import DepthBins, cell_pixels
from ...geometry.camera_view import CameraView
from ...geometry.ground_plane import GroundPlane
from .base import DepthEncoder, DepthFeatures
from .stage_chain import StageChain

_BINS = dict(start=1.0, stop=80.0, num=16, spacing='log')
_SIGMA = 0.5  # bins; the two nearest bins then tell the depth within a bin


class DepthPrior(nn.Module, ABC):
    """Base class of priors: depth of an image's pixels from its camera."""

    @abstractmethod
    def forward(self, view: CameraView, size: tuple[int, int]) -> Tensor:
        """Camera of the images -> (B, h, w) metres of a grid of cells, 0 = none."""


@MODELS.register_module()
class GroundPlanePrior(DepthPrior):
    """Depth of the ground plane, from calibration alone (`GroundPlane.depth`).

    The plane is that of the `CameraView`: detectors know it from the rig. Other models take the
    mounting given here.

    Args:
        height: of the camera above the ground, metres; None if every view has its plane.
        pitch, roll: degrees, see `GroundPlane.from_angles`.
        max_depth: metres; farther ground has no depth.

    Raises:
        ValueError: no plane, neither here nor in the view; or see `GroundPlane.from_angles`.
    """

    def __init__(
        self,
        height: float | None = None,
        pitch: float = 0.0,
        roll: float = 0.0,
        max_depth: float = 80.0,
    ) -> None:
        super().__init__()
        self.max_depth = max_depth
        self.plane = None
        if height is not None:
            self.plane = GroundPlane.from_angles(height, math.radians(pitch), math.radians(roll))

    def forward(self, view: CameraView, size: tuple[int, int]) -> Tensor:
        plane = view.plane or self.plane
        if plane is None:
            raise ValueError(
                'GroundPlanePrior: expected the ground plane of the camera, got none; set height '
                '(metres above the ground), and pitch and roll if the camera is not level'
            )
        pixels = cell_pixels(size, view.size).to(view.cam2img)
        depth = plane.to(view.cam2img).depth(pixels, view.cam2img, self.max_depth)
        return depth.expand(len(view.cam2img), *size)


@MODELS.register_module()
class EmbodiedPrior(DepthPrior):
    """Embodied depth in files: `physics_depth` of the data, at the nearest pixel of each cell.

    The files are those of hybrid-depth make-embodied-depth; data sets read them by
    `depth_folders=dict(physics_depth=FOLDER)` and `LoadDepthMaps`.

    Raises:
        ValueError: the view has no embodied depth.
    """

    def forward(self, view: CameraView, size: tuple[int, int]) -> Tensor:
        if view.physics_depth is None:
            raise ValueError(
                'EmbodiedPrior: expected physics_depth of the images, got none; add LoadDepthMaps '
                'to the pipeline, and depth_folders=dict(physics_depth=FOLDER) to the data set '
                '(hybrid-depth make-embodied-depth writes the folder)'
            )
        return F.interpolate(view.physics_depth, size, mode='nearest-exact').squeeze(1)


@MODELS.register_module()
class PriorEncoder(DepthEncoder):
    """Any depth encoder with a geometric prior of the depth beside every map.

    Depth known from the camera (`GroundPlanePrior`, `EmbodiedPrior`) as in Vision-Language
    Embodiment (arXiv 2503.16535), as an input of any model by config; how it enters is this
    project's choice: the depth of each cell, as a Gaussian over logarithmic bins, all zero where
    there is none, is concatenated to the maps, after the tower. So towers keep their pretrained
    weights, and cost volumes and text see the tower's own maps.

    The prior needs the camera: `forward` takes a `CameraView`, which depth models make from their
    inputs. `EncoderDepthNet` uses tower and prior, with its own bins.

    Args:
        encoder: depth encoder config, the tower.
        prior: `DepthPrior` config.
        bins: `DepthBins` of the code.
    """

    def __init__(self, encoder: dict, prior: dict, bins: dict | None = None) -> None:
        super().__init__()
        self.encoder = MODELS.build(encoder)
        self.depth_prior = MODELS.build(prior)
        self.bins = DepthBins(**(bins or _BINS))
        self.out_channels = [width + self.bins.num for width in self.encoder.out_channels]
        self.out_strides = self.encoder.out_strides
        self.text_channels = self.encoder.text_channels

    @property
    def tower(self) -> DepthEncoder:
        return self.encoder

    @property
    def prior(self) -> DepthPrior:
        return self.depth_prior

    def forward(self, images: Tensor, view: CameraView | None = None) -> DepthFeatures:
        """Images (B, 3, H, W), RGB float in [0, 1], and their camera -> features with the prior.

        Raises:
            ValueError: no camera, or see the prior.
        """
        return self.add_prior(self.encoder(images), view)

    def add_prior(self, features: DepthFeatures, view: CameraView | None) -> DepthFeatures:
        if view is None:
            raise ValueError(
                'PriorEncoder: expected the camera of the images, got none; give intrinsics '
                '(cam2img of the data, or `cameras` of predict)'
            )
        maps = [torch.cat((x, self._code(view, x)), 1) for x in features.maps]
        return replace(features, maps=maps)

    def _code(self, view: CameraView, x: Tensor) -> Tensor:
        """Prior as (B, num, h, w) at the cells of a map, zero where there is none."""
        depth = self.prior(view, tuple(x.shape[-2:])).float()
        return self.bins.soft(depth, _SIGMA).to(x)

    def class_token(self, images: Tensor) -> Tensor | None:
        return self.encoder.class_token(images)

    def chain(self) -> StageChain:
        """Stages of the tower; `gather` of the tower, then `add_prior`, give the features."""
        return self.encoder.chain()

    def gather(self, images: Tensor, maps: list[Tensor]) -> DepthFeatures:
        """Features of the tower, without the prior."""
        return self.encoder.gather(images, maps)
