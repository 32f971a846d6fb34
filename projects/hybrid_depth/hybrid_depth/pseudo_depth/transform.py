"""Loading of cached pseudo depth, warped to augmented images."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ..datasets.depth_map_files import pseudo_depth_path, read_pseudo_depth


@TRANSFORMS.register_module()
class LoadPseudoDepth(BaseTransform):
    """Set ``pseudo_depth`` (N, H, W), metres along the camera's axis, 0 = unknown.

    Comes after ``ImageAugmentation``: each network pixel takes the nearest cached value.

    Args:
        folder: output folder of hybrid-depth make-pseudo-depth.

    Raises:
        FileNotFoundError: an image has no cached depth.
        DepthDataError: a cached file is damaged, or not written by that tool.
    """

    def __init__(self, folder: str):
        self.folder = folder

    def transform(self, results: dict) -> dict:
        size = results['img'][0].size
        cameras = zip(results['cam_names'], results['img_path'], results['img_aug'], strict=True)
        maps = []
        for camera, image, img_aug in cameras:
            depth, placed = read_pseudo_depth(pseudo_depth_path(self.folder, camera, image))
            maps.append(resample(depth, placed @ np.linalg.inv(img_aug), size))
        results['pseudo_depth'] = np.stack(maps)
        return results


def resample(depth: np.ndarray, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Nearest-neighbour resampling of a depth map by an affine map.

    Args:
        depth: (h, w).
        affine: (3, 3), pixel of the result to pixel of ``depth``.
        size: (W, H) of the result.

    Returns:
        (H, W), 0 outside ``depth``.
    """
    width, height = size
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    x, y = (np.rint(row[0] * u + row[1] * v + row[2]).astype(int) for row in affine[:2])
    inside = (x >= 0) & (x < depth.shape[1]) & (y >= 0) & (y < depth.shape[0])
    result = np.zeros((height, width), dtype=depth.dtype)
    result[inside] = depth[y[inside], x[inside]]
    return result
