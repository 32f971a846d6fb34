"""Resizing of frames to the network's input size."""

from __future__ import annotations

import numpy as np
from mmengine.registry import TRANSFORMS
from PIL import Image

from ...datasets.kitti.calibration import relative_cam2img
from ...errors import DepthDataError

_PILLOW = {'lanczos': Image.Resampling.LANCZOS, 'bilinear': Image.Resampling.BILINEAR}
_FILTERS = (*_PILLOW, 'opencv')


def resize_cam2img(cam2img: np.ndarray, old: tuple[int, int], new: tuple[int, int]) -> np.ndarray:
    """Intrinsic matrix after a resize from `old` to `new` (width, height).

    Pixel centres have integer coordinates, so the image begins at -0.5 and the principal point c
    becomes (c + 0.5) * scale - 0.5.
    """
    scaled = cam2img.copy()
    for axis in (0, 1):
        scale = new[axis] / old[axis]
        scaled[axis, axis] *= scale
        scaled[axis, 2] = (scaled[axis, 2] + 0.5) * scale - 0.5
    return scaled


def target_cam2img(results: dict, old: tuple[int, int], new: tuple[int, int]) -> np.ndarray | None:
    """Intrinsics of a sample after a resize from `old` to `new` (width, height), if known."""
    if 'cam2img' in results:
        return resize_cam2img(results['cam2img'], old, new)
    if 'relative_intrinsics' in results:
        return relative_cam2img(*results['relative_intrinsics'], new)
    return None


class _Resize:
    """Base class: resize `frames` to `_target_size`; sets cam2img, img_shape (H, W).

    Depth maps take the nearest pixel: a mean of two depths is the depth of neither surface.
    """

    def __init__(self, interpolation: str):
        if interpolation not in _FILTERS:
            raise DepthDataError(
                f'expected interpolation {" or ".join(_FILTERS)}, got {interpolation!r}'
            )
        self.interpolation = interpolation

    def _target_size(self, size: tuple[int, int]) -> tuple[int, int]:
        raise NotImplementedError

    def _resize(self, frame: Image.Image, size: tuple[int, int]) -> Image.Image:
        if self.interpolation in _PILLOW:
            return frame.resize(size, _PILLOW[self.interpolation])
        import cv2  # takes a while to import, and few models use it

        return Image.fromarray(cv2.resize(np.asarray(frame), size, interpolation=cv2.INTER_LINEAR))

    def __call__(self, results: dict) -> dict:
        old = results['frames'][0].size
        new = self._target_size(old)
        frames = {i: self._resize(frame, new) for i, frame in results['frames'].items()}
        results = dict(results, frames=frames, img_shape=(new[1], new[0]))
        if 'depth_maps' in results:
            maps = results['depth_maps'].items()
            results['depth_maps'] = {name: _nearest(depth, new) for name, depth in maps}
        cam2img = target_cam2img(results, old, new)
        return results if cam2img is None else dict(results, cam2img=cam2img)


def _nearest(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.array(Image.fromarray(depth).resize(size, Image.Resampling.NEAREST))


@TRANSFORMS.register_module()
class ResizeFrames(_Resize):
    """Resize frames to a fixed size, aspect not kept; sets cam2img (3, 3) and img_shape (H, W).

    Args:
        size: (width, height).
        interpolation: 'lanczos' as in Monodepth2 or 'bilinear' (Pillow's, with antialiasing), or
            'opencv', OpenCV's bilinear one, as in the training of IFRNet.
    """

    def __init__(self, size: tuple[int, int], interpolation: str = 'lanczos'):
        super().__init__(interpolation)
        self.size = tuple(size)

    def _target_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return self.size


@TRANSFORMS.register_module()
class ResizeShortSide(_Resize):
    """Resize so that the short side is at least `short_side`, sides rounded to multiples.

    As in stage 1 of Hybrid-depth (docs/reference/hybrid_depth.md, "Lane labels"): 1280x720 becomes
    392x224.

    Args:
        short_side: pixels.
        multiple: both sides are rounded to a multiple of this.
        interpolation: see `ResizeFrames`.
    """

    def __init__(self, short_side: int = 224, multiple: int = 14, interpolation: str = 'bilinear'):
        super().__init__(interpolation)
        self.short_side = short_side
        self.multiple = multiple

    def _target_size(self, size: tuple[int, int]) -> tuple[int, int]:
        scale = self.short_side / min(size)
        width, height = (
            max(self.short_side, self.multiple * round(side * scale / self.multiple))
            for side in size
        )
        return width, height
