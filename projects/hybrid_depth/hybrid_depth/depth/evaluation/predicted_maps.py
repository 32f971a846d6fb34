"""Predicted maps: checked, and brought to the size of their ground truth."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch.nn.functional import interpolate

from ...errors import DepthDataError
from .protocols import DepthKind, DepthProtocol

_STRETCH = 1.25  # network inputs of KITTI's 3.3 : 1 have 3 : 1


def _checked(prediction: np.ndarray, name: str) -> np.ndarray:
    """Map (h, w), checked to be positive floats; leading axes of length 1 are dropped."""
    prediction = np.asarray(prediction)
    if prediction.ndim > 2 and set(prediction.shape[:-2]) == {1}:
        prediction = prediction.reshape(prediction.shape[-2:])
    if prediction.ndim != 2 or prediction.dtype.kind != 'f':
        raise DepthDataError(
            f'{name}: expected a map (h, w) of floats, got shape {prediction.shape} of '
            f'{prediction.dtype}'
        )
    if not np.isfinite(prediction).all():
        raise DepthDataError(f'{name}: expected finite numbers, got NaN or infinity')
    if not (prediction > 0).all():
        raise DepthDataError(
            f'{name}: expected positive numbers, got {int((prediction <= 0).sum())} that are zero '
            f'or negative (minimum {prediction.min():g}). Disparity is 1 / depth; scale a sigmoid '
            'output to its range first.'
        )
    return prediction.astype(np.float32) if prediction.dtype == np.float16 else prediction


def check_aspect(shape: tuple[int, ...], truth: tuple[int, int], name: str) -> None:
    """Check the shape of a map of unknown origin.

    Args:
        shape: (h, w), of any size.
        truth: (H, W) of the ground truth.
        name: name in error messages.

    Raises:
        DepthDataError: it is transposed or of another aspect than the truth.
    """
    stretch = shape[0] * truth[1] / (shape[1] * truth[0])
    if not 1 / _STRETCH < stretch < _STRETCH or (shape != truth and shape == truth[::-1]):
        raise DepthDataError(
            f'{name}: expected a map of about the aspect of the ground truth, '
            f'{truth[1]}x{truth[0]} pixels, got {shape[1]}x{shape[0]}. Is it transposed, square, '
            'or of a crop? Resize predictions to the aspect of the images first'
        )


def _resize(values: np.ndarray, shape: tuple[int, int], how: str) -> np.ndarray:
    if values.shape == shape:
        return values
    if how == 'align_corners':
        tensor = torch.from_numpy(np.ascontiguousarray(values))[None, None]
        return interpolate(tensor, shape, mode='bilinear', align_corners=True)[0, 0].numpy()
    flag = cv2.INTER_LINEAR if how == 'cv2' else cv2.INTER_NEAREST
    return cv2.resize(values, shape[::-1], interpolation=flag)


def resized_depth(
    prediction: np.ndarray,
    shape: tuple[int, int],
    kind: DepthKind,
    protocol: DepthProtocol,
    name: str = 'prediction',
    places: np.ndarray | None = None,
) -> np.ndarray:
    """Predicted map as depth at the ground truth's size.

    Args:
        prediction: (h, w), (1, h, w) or (1, 1, h, w).
        shape: (H, W).
        name: name in error messages.
        places: (N,) indices into H * W pixels, to return the depth of these only.

    Raises:
        DepthDataError: not a map of finite, positive numbers.
    """
    values = _checked(prediction, name)
    given = 'disparity' if kind == 'disparity' else 'depth'
    if given != protocol.resized:
        values = 1 / values
    values = _resize(values, shape, protocol.resize)
    if places is not None:
        values = values.ravel()[places]
    return 1 / values if protocol.resized == 'disparity' else values


def uncrop(
    prediction: np.ndarray,
    truth: np.ndarray,
    box: tuple[int, int, int, int],
    kind: DepthKind,
    protocol: DepthProtocol,
) -> tuple[np.ndarray, np.ndarray]:
    """Prediction of a cropped image in the whole image, and the truth inside the crop.

    A protocol's own crop is relative to the whole image.

    Args:
        prediction: (h, w), (1, h, w) or (1, 1, h, w) of the crop, any size.
        truth: (H, W) metres of the whole image.
        box: left, top, right, bottom of the crop, pixels of `truth`.

    Returns:
        (H, W) prediction and truth; the latter 0 outside the crop.

    Raises:
        DepthDataError: a box outside the image, or not a map of finite, positive numbers.
    """
    left, top, right, bottom = box
    if not (0 <= left < right <= truth.shape[1] and 0 <= top < bottom <= truth.shape[0]):
        raise DepthDataError(
            f'expected a crop inside the ground truth of {truth.shape[1]}x{truth.shape[0]} pixels, '
            f'got (left, top, right, bottom) {tuple(box)}. Is the truth that of another image size?'
        )
    window = slice(top, bottom), slice(left, right)
    depth = resized_depth(prediction, truth[window].shape, kind, protocol)
    whole = np.ones(truth.shape, depth.dtype)  # not compared outside the crop
    inside = np.zeros_like(truth)
    whole[window] = 1 / depth if kind == 'disparity' else depth
    inside[window] = truth[window]
    return whole, inside
