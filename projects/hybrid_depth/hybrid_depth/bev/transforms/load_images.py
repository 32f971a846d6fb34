"""Loading of the camera images of a keyframe and of earlier ones."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ...calibration_checks import check_camera, check_image_size
from ...datasets.image_files import image_size, open_image


@TRANSFORMS.register_module()
class LoadMultiViewImages(BaseTransform):
    """Load ``img_path`` (N paths) as ``img``, N RGB PIL images; also of ``adjacent`` frames.

    Args:
        half: decode JPEG at half the size (`open_image`), for networks whose images have at most
            half of the camera's resolution. Sets ``img_full_size``, the (width, height) of the
            files, which keeps the augmentation the same; pixels differ a little (docs/results.md,
            "Loading of images").

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged, or of another size than
            its calibration.
    """

    def __init__(self, half: bool = False):
        self.half = half

    def transform(self, results: dict) -> dict:
        for frame in (results, *results.get('adjacent', ())):
            frame['img'] = [open_image(path, self.half) for path in frame['img_path']]
            if self.half:
                frame['img_full_size'] = [image_size(path) for path in frame['img_path']]
            self._check(frame)
        return results

    @staticmethod
    def _check(frame: dict) -> None:
        """Compare the images of a frame with their calibration."""
        stated = frame.get('img_size', [(None, None)] * len(frame['img']))
        sizes = frame.get('img_full_size', [image.size for image in frame['img']])
        cameras = zip(sizes, frame['img_path'], stated, frame['cam2img'], strict=True)
        for found, path, size, cam2img in cameras:
            if None not in size:
                check_image_size(found, size, path)
            check_camera(cam2img, f'calibration of {path}', found)
