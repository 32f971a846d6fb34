"""Depth maps of LiDAR sweeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmengine.registry import TRANSFORMS

from ...array_files import read_arrays
from ...errors import DepthDataError
from ...geometry.point_projection import project_nearest


def read_points(path: str | Path) -> np.ndarray:
    """Points (P, 3), metres in the sensor's frame, of a DGP sweep (.npz with an array `data`).

    Points that are not finite are left out.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: not such an array, or no point in it.
    """
    arrays = read_arrays(path)
    if 'data' not in arrays:
        raise DepthDataError(
            f'{path}: expected a sweep saved by numpy as `data`, got {sorted(arrays)}. Unpack it '
            'again.'
        )
    points = arrays['data']
    if points.ndim != 2 or points.shape[1] < 3 or points.dtype.kind != 'f':
        raise DepthDataError(
            f'{path}: expected points (P, 3 or more) of floats, got {points.shape} of '
            f'{points.dtype}'
        )
    points = points[np.isfinite(points[:, :3]).all(1), :3].astype(np.float64)
    if not len(points):
        raise DepthDataError(f'{path}: expected points, got none that is finite')
    return points


@TRANSFORMS.register_module()
class LoadLidarDepthMap:
    """Project the sweep of `lidar` into frame 0: sets `depth_maps['gt_depth']`, metres, 0 = none.

    Comes after `LoadFrames` and before any flip, crop or resize; later transforms move the map with
    the frames. A pixel takes its nearest point.

    Args:
        depth_range: range [first, last) of depths kept, metres.

    Raises:
        FileNotFoundError: the sweep is missing.
        DepthDataError: a sample without a sweep, or a damaged one.
    """

    def __init__(self, depth_range: tuple[float, float] = (0.5, 250.0)):
        self.depth_range = tuple(depth_range)

    def __call__(self, results: dict) -> dict:
        if 'lidar' not in results:
            raise DepthDataError(
                f'LoadLidarDepthMap: expected a LiDAR sweep of {results["img_paths"][0]}, got '
                'none; take DDADDataset, or leave this transform out'
            )
        lidar = results['lidar']
        (depth,) = project_nearest(
            read_points(lidar['path']),
            lidar['lidar2cam'][None],
            results['cam2img'][None],
            np.eye(3)[None],
            tuple(results['ori_shape']),
            self.depth_range,
        )
        return dict(results, depth_maps={**results.get('depth_maps', {}), 'gt_depth': depth})
