"""Loading of the camera images of a keyframe and of earlier ones."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS

from ...datasets.image_files import open_image


@TRANSFORMS.register_module()
class LoadMultiViewImages(BaseTransform):
    """Load ``img_path`` (N paths) as ``img``, N RGB PIL images; also of ``adjacent`` frames.

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged.
    """

    def transform(self, results: dict) -> dict:
        for frame in (results, *results.get('adjacent', ())):
            frame['img'] = [open_image(path) for path in frame['img_path']]
        return results
