"""Loading of the camera images of a keyframe and of earlier ones."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ...calibration_checks import check_camera, check_image_size
from ...datasets.image_files import open_image


@TRANSFORMS.register_module()
class LoadMultiViewImages(BaseTransform):
    """Load ``img_path`` (N paths) as ``img``, N RGB PIL images; also of ``adjacent`` frames.

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged, or of another size than
            its calibration.
    """

    def transform(self, results: dict) -> dict:
        for frame in (results, *results.get('adjacent', ())):
            frame['img'] = [open_image(path) for path in frame['img_path']]
            self._check(frame)
        return results

    @staticmethod
    def _check(frame: dict) -> None:
        """Compare the images of a frame with their calibration."""
        stated = frame.get('img_size', [(None, None)] * len(frame['img']))
        cameras = zip(frame['img'], frame['img_path'], stated, frame['cam2img'], strict=True)
        for image, path, size, cam2img in cameras:
            if None not in size:
                check_image_size(image.size, size, path)
            check_camera(cam2img, f'calibration of {path}', image.size)
