"""Sparse depth maps from LiDAR sweeps."""

from __future__ import annotations

import os

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ...errors import DepthDataError
from ...geometry import invert_rigid
from ...geometry.point_projection import project_nearest

# Points of earlier sweeps nearer than this in x and y, metres, are on the ego vehicle and would
# appear behind its current position; as in the devkit and in mmdet3d.
_EGO_HALF_SIZE = 1.0
_FARTHEST, _FEW = 1000.0, 0.01  # metres; fraction of points that may be garbage
_NUSCENES = '.pcd.bin'


def load_sweep(path: str, num_features: int) -> np.ndarray:
    """Read a nuScenes ``.pcd.bin`` sweep.

    Returns:
        (P, num_features) float32; the first three are x, y, z in the LiDAR frame, metres.

    Raises:
        FileNotFoundError: the file does not exist.
        DepthDataError: its size is not a whole number of points, no point is finite, or its points
            have other values.
    """
    values = np.fromfile(path, dtype=np.float32)
    if values.size == 0 or values.size % num_features:
        raise DepthDataError(
            f'damaged LiDAR sweep {path}: expected a multiple of {num_features} float32 values, '
            f'got {values.size}; copy or download this file again'
        )
    points = values.reshape(-1, num_features)
    points = points[np.isfinite(points[:, :3]).all(1)]
    if not len(points):
        raise DepthDataError(
            f'damaged LiDAR sweep {path}: expected points in metres, got '
            f'{values.size // num_features} points, none finite; copy or download this file again'
        )
    _check_layout(points, path)
    return points


def _check_layout(points: np.ndarray, path: str) -> None:
    """Raise DepthDataError if a sweep has another number or kind of values per point."""
    beyond = (np.abs(points[:, :3]) > _FARTHEST).any(1).mean()
    ring = points[:, 4] if path.endswith(_NUSCENES) and points.shape[1] == 5 else np.zeros(1)
    if beyond > _FEW or not (np.abs(ring - np.round(ring)) < 1e-3).all() or ring.min() < 0:
        raise DepthDataError(
            f'LiDAR sweep {path}: expected {points.shape[1]} float32 values per point: x, y, z in '
            f'metres{", intensity, ring (a whole number)" if len(ring) > 1 else ""}; got other '
            'values. Has the file another number of values per point (num_pts_feats of the info '
            'file), or other types?'
        )


@TRANSFORMS.register_module()
class LoadLidarDepth(BaseTransform):
    """Set ``gt_depth`` (N, H, W), the keyframe's sweep projected to each augmented camera.

    Comes after ``ImageAugmentation``; independent of BEV augmentation.

    Args:
        depth_range: range of depths kept, metres; the first and last edge of the depth bins.
        required: False: samples without a sweep have an empty map, for testing without LiDAR.
        sweeps: number of earlier sweeps added, if listed in the info file (hybrid-depth
            create-nuscenes-infos --lidar-sweeps): denser, but moving objects also appear at earlier
            positions. Official targets have none.
    """

    def __init__(
        self,
        depth_range: tuple[float, float] = (1.0, 60.0),
        required: bool = True,
        sweeps: int = 0,
    ):
        self.depth_range = depth_range
        self.required, self.sweeps = required, sweeps

    def transform(self, results: dict) -> dict:
        width, height = results['img'][0].size
        if not self.required and not os.path.isfile(results.get('lidar_path', '')):
            results['gt_depth'] = np.zeros((len(results['img']), height, width), np.float32)
            return results
        points = self._points(results)
        lidar2ego = results['lidar2ego']
        ego2cam = invert_rigid(torch.from_numpy(results['cam2ego'])).numpy()
        results['gt_depth'] = project_nearest(
            points @ lidar2ego[:3, :3].T + lidar2ego[:3, 3],
            ego2cam,
            results['cam2img'],
            results['img_aug'],
            (height, width),
            self.depth_range,
        )
        return results

    def _points(self, results: dict) -> np.ndarray:
        """Points (P, 3) in the keyframe's LiDAR frame, float64, metres."""
        features = results['num_pts_feats']
        clouds = [load_sweep(results['lidar_path'], features)[:, :3].astype(np.float64)]
        for sweep in results.get('lidar_sweeps', ())[: self.sweeps]:
            earlier = sweep['lidar_points']
            to_key = np.array(earlier['lidar2sensor'])  # mmdet3d's convention, see _lidar_sweeps
            cloud = load_sweep(earlier['lidar_path'], features)[:, :3].astype(np.float64)
            cloud = cloud[(np.abs(cloud[:, :2]) >= _EGO_HALF_SIZE).any(1)]
            clouds.append(cloud @ to_key[:3, :3] - to_key[:3, 3])
        return np.concatenate(clouds)
