"""Loading of dense depth in files, warped to augmented images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ..datasets.depth_map_files import pseudo_depth_path, read_depth_png, read_pseudo_depth
from ..datasets.image_files import image_size
from ..datasets.label_images import label_path
from ..errors import DepthDataError


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
            path = pseudo_depth_path(self.folder, camera, image, results.get('drive', ''))
            depth, placed = read_pseudo_depth(path)
            maps.append(resample(depth, placed @ np.linalg.inv(img_aug), size))
        results['pseudo_depth'] = np.stack(maps)
        return results


class LoadMirroredDepth(BaseTransform):
    """Base class of transforms that set a map (N, H, W), metres along the camera's axis, from files
    that mirror the images.

    Comes after ``ImageAugmentation``: each network pixel takes the nearest value, 0 = none.

    Args:
        folder: depth PNGs that mirror the images below ``root``: a/b/c.jpg has a/b/c.png.
        root: the data set's folder.

    Attributes:
        field: the map's name in the sample.
        made_by: how to make the files, for errors.

    Raises:
        FileNotFoundError: an image has no map.
        DepthDataError: an image outside the root, or a map that is damaged or has another size.
    """

    field: str
    made_by: str

    def __init__(self, folder: str, root: str):
        self.folder, self.root = Path(folder), Path(root)

    def transform(self, results: dict) -> dict:
        size = results['img'][0].size
        maps = []
        for image, img_aug in zip(results['img_path'], results['img_aug'], strict=True):
            maps.append(resample(self._read(Path(image)), np.linalg.inv(img_aug), size))
        results[self.field] = np.stack(maps)
        return results

    def _read(self, image: Path) -> np.ndarray:
        if not image.is_relative_to(self.root):
            raise DepthDataError(
                f'{type(self).__name__}: expected images below root={self.root}, got {image}; set '
                'root to data_root of the data set'
            )
        path = label_path(self.folder, image, self.root)
        if not path.is_file():
            raise FileNotFoundError(
                f'expected the depth map {path} of {image}, which does not exist; {self.made_by}'
            )
        depth = read_depth_png(path)
        if depth.shape != image_size(image)[::-1]:
            raise DepthDataError(
                f'{path}: expected a depth map of the size of {image}, {image_size(image)[::-1]}, '
                f'got {depth.shape}'
            )
        return depth


@TRANSFORMS.register_module()
class LoadPhysicsDepth(LoadMirroredDepth):
    """Set ``physics_depth`` (N, H, W): embodied depth in files, as of `LoadMirroredDepth`.

    The folder is `depth` in the output folder of hybrid-depth make-embodied-depth.
    """

    field, made_by = 'physics_depth', 'make it with: hybrid-depth make-embodied-depth'


@TRANSFORMS.register_module()
class LoadTrueDepth(LoadMirroredDepth):
    """Set ``true_depth`` (N, H, W): dense true depth in files, as of `LoadMirroredDepth`.

    Toy worlds of the nuScenes layout have such a folder, `depth`.
    """

    field = 'true_depth'
    made_by = 'toy worlds have such maps: hybrid-depth make-toy-world'


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
