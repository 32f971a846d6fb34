"""Cropping of frames."""

from __future__ import annotations

from mmengine.registry import TRANSFORMS

from ...errors import DepthDataError


@TRANSFORMS.register_module()
class BottomCrop:
    """Crop of the lower middle part of all frames and depth maps, KITTI's benchmark crop.

    The image's bottom is kept, the sides are cut equally (docs/reference/kitti.md, "Benchmark
    crop"). Sets `cam2img` and `crop` (left, top, right, bottom), pixels of the image.

    Args:
        size: (width, height), at most that of the image; KITTI's is (1216, 352).

    Raises:
        DepthDataError: a smaller image, or intrinsics relative to the image size, which a crop
            makes wrong.
    """

    def __init__(self, size: tuple[int, int] = (1216, 352)):
        self.size = tuple(size)

    def __call__(self, results: dict) -> dict:
        old = results['frames'][0].size
        if old[0] < self.size[0] or old[1] < self.size[1]:
            raise DepthDataError(
                f'{results["img_paths"][0]}: BottomCrop expected an image of at least {self.size}, '
                f'got {old} (width, height)'
            )
        if 'relative_intrinsics' in results:
            raise DepthDataError(
                "BottomCrop: expected the camera's matrix, got relative intrinsics; set "
                "intrinsics='calibrated' of the data set"
            )
        left, top = (old[0] - self.size[0]) // 2, old[1] - self.size[1]
        box = (left, top, left + self.size[0], top + self.size[1])
        results = dict(results, crop=box, img_shape=self.size[::-1])
        results['frames'] = {i: frame.crop(box) for i, frame in results['frames'].items()}
        rows, columns = slice(top, box[3]), slice(left, box[2])
        maps = results.get('depth_maps', {})
        results['depth_maps'] = {name: depth[rows, columns] for name, depth in maps.items()}
        if 'cam2img' in results:
            results['cam2img'] = results['cam2img'].copy()
            results['cam2img'][:2, 2] -= (left, top)
        return results
