"""Loading of the camera images of a keyframe and of earlier ones."""

from __future__ import annotations

from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS
from PIL import Image


def load_rgb(path: str) -> Image.Image:
    """Decode an image file to RGB.

    Raises:
        FileNotFoundError: the file does not exist.
        OSError: the file is not an image, or truncated.
    """
    try:
        with Image.open(path) as image:
            return image.convert('RGB')
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three on bad data
        raise OSError(
            f'cannot decode the image {path}: {error}. Expected a complete JPEG or PNG; copy or '
            'download this file again.'
        ) from error


@TRANSFORMS.register_module()
class LoadMultiViewImages(BaseTransform):
    """Load ``img_path`` (N paths) as ``img``, N RGB PIL images; also of ``adjacent`` frames."""

    def transform(self, results: dict) -> dict:
        for frame in (results, *results.get('adjacent', ())):
            frame['img'] = [load_rgb(path) for path in frame['img_path']]
        return results
