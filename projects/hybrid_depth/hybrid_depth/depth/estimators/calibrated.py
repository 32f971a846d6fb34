"""Depth model with a calibration, which predicts metres."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import ConfigError
from ...geometry.depth_calibration import DepthCalibration
from ...geometry.depth_map import DepthMap
from .base import Cameras, DepthEstimator, as_view
from .feature_memory import FeatureMemory

#: Entry of a checkpoint's `meta`: a list of calibrations, one per focal length.
META_KEY = 'depth_calibration'
_HEIGHT = 0.1  # largest relative difference of camera heights


class CalibratedDepth(DepthEstimator):
    """Depth model whose depth is turned into metres by the calibration of its checkpoint.

    `init_depth_model` makes it of a checkpoint of `hybrid-depth calibrate`; for inference. All else
    (`pose_net`, `relative_pose`, ...) is that of the model.

    Args:
        model: depth model, in evaluation mode.
        calibrations: one per focal length.

    Attributes:
        image_size: training size (H, W) of the model; None if unknown.
    """

    def __init__(self, model: DepthEstimator, calibrations: Sequence[DepthCalibration]) -> None:
        super().__init__(None, None, model.min_depth, model.max_depth)
        self.model, self.calibrations = model, tuple(calibrations)
        self.needs_cameras, self.image_size = model.needs_cameras, model.image_size
        self._told = False
        self.eval()

    @classmethod
    def from_meta(cls, model: DepthEstimator, meta: Mapping[str, Any], source: str):
        """The model, calibrated if the `meta` of its checkpoint has calibrations.

        Args:
            source: the checkpoint, for errors.

        Raises:
            DamagedFileError: calibrations that cannot be used.
            ConfigError: calibrations of another model.
        """
        if META_KEY not in meta:
            return model
        found = [DepthCalibration.from_dict(x, source) for x in meta[META_KEY]['cameras']]
        if meta[META_KEY]['model'] != model_name(model):
            raise ConfigError(
                f'{source}: expected the config of the calibrated model '
                f'{meta[META_KEY]["model"]}, got {model_name(model)}; calibrate this model: '
                'hybrid-depth calibrate'
            )
        return cls(model, found)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__('model'), name)

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames that `predict` uses where they are given."""
        return self.model.frames

    def predict(
        self,
        frames: dict[int | str, Tensor],
        cameras: Cameras = None,
        memory: FeatureMemory | None = None,
    ) -> DepthMap:
        """Metric depth of frame 0; see `DepthEstimator.predict`.

        Without cameras, a single calibration is used, with a warning.

        Raises:
            ConfigError: no calibration for the focal length of an image, or no cameras with several
                calibrations.
        """
        depth = self.model.predict(frames, cameras, memory)
        depth = depth.values if depth.kind != 'disparity' else depth.to('relative').values
        view = as_view(cameras, frames[0])
        if view is None:
            return DepthMap(self._only()(depth), 'metric')
        focals = (view.cam2img[:, 0, 0] / view.size[1]).tolist()
        pairs = zip(focals, depth, strict=True)
        return DepthMap(torch.stack([self._of(focal)(z) for focal, z in pairs]), 'metric')

    def require_heights(self, heights: Sequence[float], focals: Sequence[float]) -> None:
        """Check the mounting of cameras against that of the calibration.

        Args:
            heights: of cameras above the ground, metres.
            focals: their focal lengths over the image width.

        Raises:
            ConfigError: a height that differs more than 10 % from those of the calibration.
        """
        for height, focal in zip(heights, focals, strict=True):
            known = self._of(focal).heights
            if known and not known[0] * (1 - _HEIGHT) <= height <= known[1] * (1 + _HEIGHT):
                raise ConfigError(
                    f'expected a camera {known[0]:.2f} to {known[1]:.2f} m above the ground, as '
                    f'the depth was calibrated for, got {height:.2f} m; the same network predicts '
                    'other metres from another height: calibrate it for this rig (hybrid-depth '
                    'calibrate)'
                )

    def _only(self) -> DepthCalibration:
        if len(self.calibrations) > 1:
            raise ConfigError(
                'expected intrinsics, which select one of the calibrations for focal lengths of '
                f'{[round(x.focal, 3) for x in self.calibrations]} image widths, got none: give '
                'cam2img (--intrinsics FX FY CX CY)'
            )
        if not self._told:
            warnings.warn(
                f'metric depth of images without intrinsics: {self.calibrations[0]}; for another '
                'camera the metres are wrong',
                stacklevel=4,
            )
            self._told = True
        return self.calibrations[0]

    def _of(self, focal: float) -> DepthCalibration:
        """Calibration of a camera."""
        nearest = min(self.calibrations, key=lambda x: abs(x.focal - focal))
        if not nearest.fits(focal):
            raise ConfigError(
                f'expected a camera with a focal length of '
                f'{" or ".join(f"{x.focal:.3f}" for x in self.calibrations)} image widths, as the '
                f'depth was calibrated for, got {focal:.3f}; calibrate it for this camera '
                '(hybrid-depth calibrate)'
            )
        return nearest


def model_name(model: DepthEstimator) -> str:
    """Type of a model, with the name of its weights if they are not in the checkpoint."""
    kind = type(model).__name__
    return f'{kind} {model.name}' if model.weights_by_name else kind
