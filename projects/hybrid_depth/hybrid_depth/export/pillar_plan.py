"""Pillars that each camera sees, for exported detectors with backward projection; numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import Array, Calibration
from .pooling_plan import LiftSpec

NEAREST = 1e-5  # metres in front of the camera, as in geometry/pillars.py


@dataclass(frozen=True)
class PillarSpec:
    """Backward projection of a detector (``BackwardProjection``).

    Args:
        heights: (lower, upper, step) of the anchors of a BEV cell, metres.
        consistency: ``linear``, ``one_hot`` or ``none``.
        bin_centres: (D,) metres.
        bin_edges: (D + 1,) metres.
    """

    heights: Sequence[float]
    consistency: str
    bin_centres: Sequence[float]
    bin_edges: Sequence[float]


def seen_pillars(
    spec: PillarSpec, lift: LiftSpec, image_size: Sequence[int], calibration: Calibration
) -> dict[str, Array]:
    """Projections of the pillars (``project_pillars``), those that are visible by camera.

    Args:
        spec, lift, image_size: of the file.
        calibration: B x N cameras.

    Returns:
        pillar_cell (B, N, V) int64 BEV cell of each pillar; pillar_visible (B, N, V) float32, 0 for
        the rest of cameras that see fewer than V; pillar_uv (B, N, V, A, 2) anchors in the image, 0
        to 1; pillar_cameras (B, Y * X) float32 number of cameras that see a cell; and unless the
        consistency is none bin_index (B, N, V, A, 8) int64 into the flat depth distribution (B, N,
        D, h, w) and bin_weight (B, N, V, A, 8), its trilinear interpolation at the anchors.
    """
    rig = calibration
    ego2cam = np.linalg.inv(rig.bda[:, None] @ rig.cam2ego)[..., :3, :]
    ego2img = rig.img_aug @ rig.cam2img @ ego2cam
    anchors = _anchors(spec, lift)  # (A, Y * X, 3)
    pixels = (
        np.einsum('bnrc,alc->bnlar', ego2img[..., :3], anchors) + ego2img[:, :, None, None, :, 3]
    )
    pixels = pixels.astype(np.float32)
    depth = pixels[..., 2]
    size = np.array(image_size[::-1], np.float32)
    uv = (
        pixels[..., :2] / np.maximum(depth, np.float32(NEAREST))[..., None] + np.float32(0.5)
    ) / size
    hit = ((uv > 0) & (uv < 1)).all(-1) & (depth > NEAREST)
    visible = hit.any(-1)
    longest = max(int(visible.sum(-1).max()), 1)
    cells = np.argsort(~visible, axis=-1, kind='stable')[..., :longest]
    uv = np.take_along_axis(uv, cells[..., None, None], 2)
    depth = np.take_along_axis(depth, cells[..., None], 2)
    inputs = dict(
        pillar_cell=cells,
        pillar_visible=np.take_along_axis(visible, cells, 2).astype(np.float32),
        pillar_uv=uv,
        pillar_cameras=visible.sum(1).astype(np.float32),
    )
    if spec.consistency != 'none':
        inputs['bin_index'], inputs['bin_weight'] = _trilinear(spec, lift, uv, depth)
    return inputs


def _anchors(spec: PillarSpec, lift: LiftSpec) -> Array:
    """(A, Y * X, 3) metres, rounded to float32 as ``VoxelGrid.centres``."""
    x, y, z = (
        np.float32(lower)
        + (np.arange(int(round((upper - lower) / step)), dtype=np.float32) + np.float32(0.5))
        * np.float32(step)
        for lower, upper, step in (lift.x, lift.y, spec.heights)
    )
    z, y, x = np.meshgrid(z, y, x, indexing='ij')
    return np.stack((x, y, z), -1).reshape(len(z), -1, 3).astype(np.float64)


def _trilinear(spec: PillarSpec, lift: LiftSpec, uv: Array, depth: Array) -> tuple[Array, Array]:
    """Indices into a flat (B, N, D, h, w) and weights of points (B, N, V, A), both (..., 8)."""
    sizes = len(lift.depths), len(lift.v), len(lift.u)
    places = (
        _bin_position(spec, depth),
        uv[..., 1].astype(np.float64) * sizes[1] - 0.5,
        uv[..., 0].astype(np.float64) * sizes[2] - 0.5,
    )
    image = np.arange(depth.shape[0] * depth.shape[1]).reshape(*depth.shape[:2], 1, 1, 1)
    index, weight = image, (depth > NEAREST)[..., None].astype(np.float64)
    for axis, (place, size) in enumerate(zip(places, sizes, strict=True)):
        lower = np.floor(place)
        upper_share = place - lower
        corner = np.stack((lower, lower + 1), -1)
        share = np.stack((1 - upper_share, upper_share), -1) * ((corner >= 0) & (corner < size))
        corner = corner.clip(0, size - 1).astype(np.int64)
        # the corners of this axis vary slowest but for those before
        repeat = [np.repeat(x, 4 >> axis, -1) for x in (corner, share)]
        corner, share = (np.tile(x, (1,) * depth.ndim + (1 << axis,)) for x in repeat)
        index, weight = index * size + corner, weight * share
    return index, weight.astype(np.float32)


def _bin_position(spec: PillarSpec, depth: Array) -> Array:
    """Fractional bin of depths, float64: ``DepthBins.position``."""
    if spec.consistency == 'one_hot':
        edges = np.asarray(spec.bin_edges[1:-1], np.float32)
        return np.searchsorted(edges, depth, 'right').astype(np.float64)
    centres = np.asarray(spec.bin_centres, np.float32)
    last = len(centres) - 1
    upper = np.searchsorted(centres, depth).clip(1, last)
    below, above = centres[upper - 1].astype(np.float64), centres[upper].astype(np.float64)
    return (upper - 1 + (depth - below) / (above - below)).clip(0, last)
