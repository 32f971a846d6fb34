"""Loading of the frames of a sample."""

from __future__ import annotations

from mmengine.registry import TRANSFORMS
from PIL import Image

from ...calibration_checks import check_camera, check_image_size
from ...datasets.image_files import open_image
from ...errors import DepthDataError


@TRANSFORMS.register_module()
class LoadFrames:
    """Load `img_paths` into `frames` {frame id: RGB image}; sets ori_shape (H, W).

    A neighbour without a path is substituted according to the data set's `missing_neighbours`: a
    copy of frame 0 or a black image. Of an image with `img_boxes` {frame id: (left, top, right,
    bottom)}, as fractions of its size, that part is the frame.

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged, a neighbour has another
            size than frame 0, or the image another size than its calibration.
    """

    def __call__(self, results: dict) -> dict:
        paths, boxes = results['img_paths'], results.get('img_boxes', {})
        opened = {path: open_image(path) for path in {*paths.values()} - {None}}
        cut = {i: _crop(opened[path], boxes.get(i)) for i, path in paths.items() if path}
        target = cut[0]
        self._check_camera(results, opened[paths[0]])
        frames = {0: target}
        for frame_id, path in paths.items():
            if frame_id == 0:
                continue
            frames[frame_id] = self._stand_in(results, target) if path is None else cut[frame_id]
            if frames[frame_id].size != target.size:
                raise DepthDataError(
                    f'{path}: expected {target.size[0]}x{target.size[1]} pixels as in {paths[0]}, '
                    f'got {frames[frame_id].size[0]}x{frames[frame_id].size[1]}. Frames of a '
                    'video must have one size.'
                )
        width, height = target.size
        return dict(results, frames=frames, ori_shape=(height, width))

    @staticmethod
    def _check_camera(results: dict, image: Image.Image) -> None:
        """Compare the calibration with the image."""
        path = results['img_paths'][0]
        if 'calibration_size' in results:
            check_image_size(image.size, results['calibration_size'], path)
        if 'cam2img' in results:
            check_camera(results['cam2img'], f'calibration of {path}', image.size)

    @staticmethod
    def _stand_in(results: dict, target: Image.Image) -> Image.Image:
        repeat = results['missing_neighbours'] == 'repeat'
        return target.copy() if repeat else Image.new('RGB', target.size)


def _crop(image: Image.Image, box: tuple[float, ...] | None) -> Image.Image:
    """Part of an image between fractions of its width and height: left, top, right, bottom."""
    if box is None:
        return image
    return image.crop(tuple(round(f * side) for f, side in zip(box, image.size * 2, strict=True)))
