"""Calibration of the cameras of a car, for exported detectors; numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from ..errors import DepthDataError

Array = np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Calibration of B samples with N cameras each: ``CameraRig`` in float64 numpy arrays.

    Args:
        cam2img: (B, N, 3, 3) intrinsics of the camera's image, pixels.
        cam2ego: (B, N, 4, 4) camera to ego, metres.
        img_aug: (B, N, 3, 3) resize and crop: pixel of the camera's image to network pixel.
        bda: (B, 4, 4) BEV augmentation; the unit matrix outside of training.
        ego2global: (B, 4, 4) pose of the ego vehicle, for detectors of several frames.
        time: (B,) seconds, for detectors with recurrent fusion; NaN if unknown.
    """

    cam2img: Array
    cam2ego: Array
    img_aug: Array
    bda: Array
    ego2global: Array
    time: Array

    @classmethod
    def of(cls, values: Mapping[str, Array] | Calibration) -> Calibration:
        """From arrays by name, of one sample (N, ...) or a batch (B, N, ...).

        Without ``img_aug`` the intrinsics are those of the network image; ``bda`` and
        ``ego2global`` are unit matrices if absent, and the time is unknown.

        Raises:
            DepthDataError: an array is absent, has another shape, or is not finite.

        Example:
            >>> k, pose = np.eye(3)[None], np.eye(4)[None]
            >>> Calibration.of(dict(cam2img=k, cam2ego=pose)).bda.shape
            (1, 4, 4)
        """
        if isinstance(values, cls):
            return values
        absent = {'cam2img', 'cam2ego'} - set(values)
        if absent:
            raise DepthDataError(
                f'expected a calibration with cam2img and cam2ego, got {sorted(values)}'
            )
        given = {name: np.asarray(value, np.float64) for name, value in values.items()}
        if given['cam2img'].ndim == 3:
            given = {name: value[None] for name, value in given.items()}
        batch = given['cam2img'].shape[:2]
        shapes = dict(
            cam2img=(*batch, 3, 3),
            cam2ego=(*batch, 4, 4),
            img_aug=(*batch, 3, 3),
            bda=(*batch[:1], 4, 4),
            ego2global=(*batch[:1], 4, 4),
            time=batch[:1],
        )
        arrays = {}
        for name, shape in shapes.items():
            absent = np.nan if name == 'time' else np.eye(shape[-1])
            array = given.get(name, np.broadcast_to(absent, shape))
            finite = name not in given or np.isfinite(array).all()
            if array.shape != shape or not finite:
                raise DepthDataError(
                    f'calibration {name}: expected finite numbers of shape {shape[1:]} or '
                    f'{shape}, got {array.shape}'
                )
            arrays[name] = array
        return cls(**arrays)

    def sample(self, index: int) -> Calibration:
        """The calibration of one sample, as a batch of one."""
        return Calibration(
            **{f.name: getattr(self, f.name)[index : index + 1] for f in fields(self)}
        )

    def repeat(self, count: int) -> Calibration:
        """The calibration of one sample for a batch of so many."""
        return Calibration(
            **{f.name: np.repeat(getattr(self, f.name), count, 0) for f in fields(self)}
        )

    def same_geometry(self, other: Calibration) -> bool:
        """Whether calibration and augmentation are equal; the ego pose may differ."""
        names = ('cam2img', 'cam2ego', 'img_aug', 'bda')
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)

    def as_inputs(self) -> dict[str, Array]:
        """Arrays by name, float32."""
        return {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}


def multiply(a: Array, b: Array) -> Array:
    """Matrix product (..., 3, 3), summed from left to right as ``geometry.affine.multiply``."""
    terms = a[..., None] * b[..., None, :, :]
    return terms[..., 0, :] + terms[..., 1, :] + terms[..., 2, :]


def invert_affine(matrix: Array) -> Array:
    """Inverse (..., 3, 3) of 2-D affine maps in the order of ``geometry.affine.invert_affine``.

    Raises:
        DepthDataError: a matrix is singular.
    """
    swap = np.abs(matrix[..., 1:2, 0]) > np.abs(matrix[..., :1, 0])
    unit = np.broadcast_to(np.eye(3), matrix.shape)
    first, second, bottom = np.moveaxis(np.concatenate((matrix, unit), -1), -2, 0)
    top, middle = np.where(swap, second, first), np.where(swap, first, second)
    with np.errstate(divide='ignore', invalid='ignore'):
        middle = middle - middle[..., :1] / top[..., :1] * top
        if not (np.abs(top[..., 0] * middle[..., 1]) > 0).all():
            raise DepthDataError(
                'expected invertible intrinsics and img_aug, got a singular matrix; check the '
                'calibration'
            )
    z = bottom[..., 3:]
    y = (middle[..., 3:] - middle[..., 2:3] * z) / middle[..., 1:2]
    x = (top[..., 3:] - top[..., 2:3] * z - top[..., 1:2] * y) / top[..., :1]
    return np.stack((x, y, z), -2)
