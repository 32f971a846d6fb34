"""Check of a detector's depth bins against the depths in its data."""

from __future__ import annotations

import numpy as np

from ..config_errors import paths_of
from ..findings import NotCheckedError, fault
from .case import Case
from .depth_range import check_depth_range
from .keyframes import Keyframe, moved

# Of the boxes inside the grid and in front of a camera. Bins of 1 to 60 m have 0.98 or more of them
# on real and toy keyframes; what is beyond gets no features at its place.
_COVERED = 0.9
# Share of the bins nearer than the farthest (0.999) LiDAR depth. Bins up to 60 m are all within
# the 70 to 100 m of LiDAR; more than half beyond it is another unit or range.
_REACHED = 0.5


def check_depth_coverage(case: Case) -> str:
    """Compare depth bins with LiDAR targets, boxes and LiDAR points.

    Raises:
        ConfigError: see `check_depth_range`.
        ConventionError: boxes or LiDAR points are mostly outside of the bins.
        NotCheckedError: no bins, or neither boxes nor LiDAR.
    """
    check_depth_range(case.cfg)
    nodes = [node['depth_bins'] for _, node in paths_of(case.cfg.get('model'), 'depth_bins')]
    bins = [node for node in nodes if {'start', 'stop'} <= set(node)]
    if not bins:
        raise NotCheckedError('the model has no depth bins')
    start, stop = bins[0]['start'], bins[0]['stop']
    done = [f'bins {start:g} to {stop:g} m']
    depths = np.concatenate([box_depths(case, keyframe) for keyframe in case.keyframes])
    if len(depths):
        share = float(((depths >= start) & (depths < stop)).mean())
        if share < _COVERED:
            low, high = np.quantile(depths, (0.05, 0.95))
            raise fault(
                f'the boxes of the grid at depths of the bins, {start:g} to {stop:g} m',
                f'{share:.0%} of them; 90 % are between {low:.1f} and {high:.1f} m',
                'set depth_bins and depth_range of LoadLidarDepth to the range of the grid',
            )
        done.append(f'have {share:.0%} of the boxes')
    points = [lidar_depths(k) for k in case.keyframes if k.points is not None]
    if points:
        reach = float(np.quantile(np.concatenate(points), 0.999))
        share = np.clip((reach - start) / (stop - start), 0, 1)
        if share < _REACHED:
            raise fault(
                f'LiDAR depths up to the last bin, {stop:g} m',
                f'{reach:.1f} m at most: {1 - share:.0%} of the bins get no target',
                'set depth_bins in metres, to the range of the sensor',
            )
        done.append(f'LiDAR reaches {reach:.0f} m')
    if len(done) == 1:
        raise NotCheckedError('needs boxes or LiDAR')
    return ', '.join(done)


def box_depths(case: Case, keyframe: Keyframe) -> np.ndarray:
    """Depths of the boxes that are inside the BEV grid, in each camera that sees their centre."""
    centres = moved(keyframe.boxes[:, :3], keyframe.lidar2ego)
    grids = [node['grid'] for _, node in paths_of(case.cfg.get('model'), 'grid')]
    for grid in grids[:1]:
        for axis, name in enumerate('xy'):
            low, high = grid[name][:2]
            centres = centres[(centres[:, axis] >= low) & (centres[:, axis] < high)]
    return _visible_depths(keyframe, centres)


def lidar_depths(keyframe: Keyframe) -> np.ndarray:
    """Depths of the LiDAR points in all images."""
    return _visible_depths(keyframe, keyframe.ego_points)


def _visible_depths(keyframe: Keyframe, points: np.ndarray) -> np.ndarray:
    found = []
    for image, cam2img, ego2cam in zip(
        keyframe.images, keyframe.cam2img, keyframe.ego2cam, strict=True
    ):
        u, v, depth = cam2img @ moved(points, ego2cam).T
        height, width = image.shape[:2]
        inside = (depth > 0) & (u >= 0) & (v >= 0) & (u < width * depth) & (v < height * depth)
        found.append(depth[inside])
    return np.concatenate(found)
