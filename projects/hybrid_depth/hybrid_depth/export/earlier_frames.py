"""Earlier key frames of exported detectors that concatenate BEV maps; numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .calibration import Array, Calibration, invert_affine
from .pooling_plan import LiftSpec, pooling_ranks

#: Outputs of a frame that are inputs of later ones, there with ``earlier_`` before, by alignment.
KEPT = {'lift': ('logits', 'context'), 'bev': ('bev',)}


@dataclass(frozen=True)
class EarlierSpec:
    """Temporal part of a detector (``AdjacentFrames``).

    Args:
        count: number of earlier key frames.
        align: ``lift``: features of earlier frames are pooled again, into the current ego frame; or
            ``bev``: their BEV maps are warped.
        warp_align: ``centres`` or ``corners``, see ``warp_bev``.
    """

    count: int
    align: str
    warp_align: str


@dataclass(frozen=True)
class EarlierFrame:
    """What later frames need of a frame.

    Args:
        kept: the outputs ``KEPT`` by name.
        calibration: of the frame.
    """

    kept: Mapping[str, Array]
    calibration: Calibration


def earlier_inputs(
    spec: EarlierSpec, lift: LiftSpec, current: Calibration, frames: Sequence[EarlierFrame]
) -> dict[str, Array]:
    """Inputs of ``count`` earlier frames, latest first."""
    inputs = {
        f'earlier_{name}': np.stack([frame.kept[name] for frame in frames], 1)
        for name in KEPT[spec.align]
    }
    calibrations = [frame.calibration for frame in frames]
    if spec.align == 'lift':
        plans = [_earlier_ranks(lift, current, earlier) for earlier in calibrations]
        return dict(inputs, earlier_ranks=np.stack(plans, 1))
    grids = [_warp_grid(spec, lift, current, earlier) for earlier in calibrations]
    return dict(inputs, earlier_grid=np.stack(grids, 1))


def _invert_rigid(transform: Array) -> Array:
    """Inverse of rigid transforms (..., 4, 4) in closed form."""
    rotation = np.swapaxes(transform[..., :3, :3], -1, -2)
    inverse = transform.copy()
    inverse[..., :3, :3] = rotation
    inverse[..., :3, 3] = -(rotation @ transform[..., :3, 3:])[..., 0]
    return inverse


def _earlier_ranks(lift: LiftSpec, current: Calibration, earlier: Calibration) -> Array:
    """(B, N, D, h, w) voxels of an earlier frame's points in the current ego frame."""
    earlier2current = _invert_rigid(current.ego2global) @ earlier.ego2global
    cam2ego = earlier2current[:, None] @ earlier.cam2ego
    return pooling_ranks(lift, replace(earlier, cam2ego=cam2ego, bda=current.bda))


def _warp_grid(
    spec: EarlierSpec, lift: LiftSpec, current: Calibration, earlier: Calibration
) -> Array:
    """(B, Y, X, 2) float32 sampling points of ``warp_bev`` in an earlier map, -1 to 1."""
    earlier2current = _invert_rigid(current.ego2global) @ earlier.ego2global
    motion = current.bda @ _invert_rigid(earlier2current) @ np.linalg.inv(current.bda)
    shift = 0.5 if spec.warp_align == 'centres' else 0.0
    index2metres = np.eye(3)
    for row, (lower, _, step) in enumerate((lift.x, lift.y)):
        index2metres[row, row], index2metres[row, 2] = step, lower + shift * step
    planar = motion[:, [0, 1, 3]][:, :, [0, 1, 3]]
    index2index = invert_affine(index2metres) @ planar @ index2metres
    width, height, _ = lift.size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    cells = np.stack((x, y, np.ones_like(x)), -1).reshape(1, -1, 3)
    points = (cells @ np.swapaxes(index2index, 1, 2))[..., :2]
    points = points / [width - 1, height - 1] * 2 - 1
    return points.reshape(-1, height, width, 2).astype(np.float32)
