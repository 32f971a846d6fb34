"""Earlier key frames of exported detectors with temporal fusion; numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import DepthDataError
from .calibration import Array, Calibration, invert_affine
from .pooling_plan import LiftSpec, pooling_ranks

#: Outputs of a frame that are inputs of later ones, there with ``earlier_`` before, by alignment.
KEPT = {'lift': ('logits', 'context'), 'bev': ('bev',), 'recurrent': ('history', 'ages')}


@dataclass(frozen=True)
class EarlierSpec:
    """Temporal part of a detector (``AdjacentFrames`` or ``History``).

    Args:
        count: number of earlier key frames.
        align: ``lift``: features of earlier frames are pooled again, into the current ego frame;
            ``bev``: their BEV maps are warped; or ``recurrent``: the maps that the frame before
            had are warped again (``History``).
        warp_align: ``centres`` or ``corners``, see ``warp_bev``.
    """

    count: int
    align: str
    warp_align: str

    @property
    def frames(self) -> int:
        """Number of frames that are kept from call to call."""
        return 1 if self.align == 'recurrent' else self.count


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
    """Inputs of the earlier ``frames``, latest first.

    Raises:
        DepthDataError: a time is unknown, or not after that of the frame before, with recurrent
            fusion.
    """
    if spec.align == 'recurrent':
        return _recurrent_inputs(spec, lift, current, frames[0])
    inputs = {
        f'earlier_{name}': np.stack([frame.kept[name] for frame in frames], 1)
        for name in KEPT[spec.align]
    }
    calibrations = [frame.calibration for frame in frames]
    if spec.align == 'lift':
        plans = [_earlier_ranks(lift, current, earlier) for earlier in calibrations]
        return dict(inputs, earlier_ranks=np.stack(plans, 1))
    grids = []
    for earlier in calibrations:
        earlier2current = _invert_rigid(current.ego2global) @ earlier.ego2global
        motion = current.bda @ _invert_rigid(earlier2current) @ np.linalg.inv(current.bda)
        grids.append(_warp_grid(spec, lift, motion))
    return dict(inputs, earlier_grid=np.stack(grids, 1))


def first_inputs(
    spec: EarlierSpec, lift: LiftSpec, current: Calibration, channels: int
) -> dict[str, Array]:
    """Inputs of the first frame of a video, with recurrent fusion.

    Args:
        channels: of the BEV map.
    """
    batch, (width, height, _) = len(current.ego2global), lift.size
    kept = dict(
        history=np.zeros((batch, spec.count, channels, height, width), np.float32),
        ages=np.zeros((batch, spec.count), np.float32),
    )
    now = replace(current, time=np.zeros(batch))
    inputs = _recurrent_inputs(spec, lift, now, EarlierFrame(kept, now))
    return dict(inputs, earlier_starts=np.ones(batch, bool))


def _recurrent_inputs(
    spec: EarlierSpec, lift: LiftSpec, current: Calibration, before: EarlierFrame
) -> dict[str, Array]:
    passed = current.time - before.calibration.time
    if not (passed >= 0).all():
        raise DepthDataError(
            'expected the time of each key frame in its calibration, in seconds and in rising '
            f'order, got {before.calibration.time.tolist()} and then {current.time.tolist()}'
        )
    aug2global, aug2global_before = (
        each.ego2global @ np.linalg.inv(each.bda) for each in (current, before.calibration)
    )
    return dict(
        earlier_history=before.kept['history'],
        earlier_ages=(before.kept['ages'] + passed[:, None]).astype(np.float32),
        earlier_grid=_warp_grid(spec, lift, np.linalg.inv(aug2global_before) @ aug2global),
        earlier_starts=np.zeros(len(passed), bool),
    )


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


def _warp_grid(spec: EarlierSpec, lift: LiftSpec, motion: Array) -> Array:
    """(B, Y, X, 2) float32 sampling points of ``warp_bev`` in an earlier map, -1 to 1.

    Args:
        motion: (B, 4, 4) current (augmented) ego frame to the earlier one.
    """
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
