"""Image augmentation (IDA) of BEVDet, with the resize and crop of test time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet3d.registry import TRANSFORMS
from PIL import Image

from .resized_crop import resized_crop


@dataclass(frozen=True)
class ImageAugmentationParams:
    """Augmentation of one camera: resize, crop, flip, rotate, in this order.

    Args:
        resize: scale from original to resized pixels.
        resize_dims: (width, height) of the resized image.
        crop: left, top, right, bottom in the resized image, pixels; black outside of it.
        flip: horizontal flip.
        rotate: degrees, counter-clockwise in the displayed image, about the centre of the crop.
    """

    resize: float
    resize_dims: tuple[int, int]
    crop: tuple[int, int, int, int]
    flip: bool = False
    rotate: float = 0.0

    def matrix(self) -> np.ndarray:
        """Homogeneous transform (3, 3), original pixel to augmented pixel.

        A flip maps u to width - u, although PIL moves pixel index u to width - 1 - u. Official
        weights and depth targets have the same half-pixel offset (docs/reference/bevdet.md,
        "Image augmentation").
        """
        left, top, right, bottom = self.crop
        width, height = right - left, bottom - top
        scale_crop = np.array([[self.resize, 0, -left], [0, self.resize, -top], [0, 0, 1]])
        flip = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]]) if self.flip else np.eye(3)
        angle = np.deg2rad(self.rotate)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        centre = np.array([width, height]) / 2
        rotate = np.eye(3)
        rotate[:2, :2] = turn
        rotate[:2, 2] = centre - turn @ centre
        return rotate @ flip @ scale_crop

    def apply(self, image: Image.Image) -> Image.Image:
        """Augment one image: bicubic resize, nearest rotation."""
        image = resized_crop(image, self.resize_dims, self.crop)
        if self.flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image.rotate(self.rotate, Image.Resampling.NEAREST)


@TRANSFORMS.register_module()
class ImageAugmentation(BaseTransform):
    """Resize, crop, flip and rotation of N images, random or fixed (BEVDet's IDA).

    Source: docs/reference/bevdet.md, "Image augmentation". Random per camera, from numpy's global
    generator. Changes ``img`` and ``img_aug``; images decoded at half size have ``img_full_size``.

    Args:
        final_size: (height, width) of the network image; the resize factor is final width / width.
        random: random augmentation; False for the test-time resize and bottom crop without flip
            and rotation.
        resize: range added to the resize factor.
        rotate: range of the rotation, degrees.
        flip: flip with probability one half.
        crop_bottom: range of the fraction of the resized height cropped at the bottom; its mean is
            used at test time.
    """

    def __init__(
        self,
        final_size: tuple[int, int],
        random: bool,
        resize: tuple[float, float] = (-0.06, 0.11),
        rotate: tuple[float, float] = (-5.4, 5.4),
        flip: bool = True,
        crop_bottom: tuple[float, float] = (0.0, 0.0),
    ):
        self.final_size = tuple(final_size)
        self.random = random
        self.resize = resize
        self.rotate = rotate
        self.flip = flip
        self.crop_bottom = crop_bottom

    def fixed_params(
        self, size: tuple[int, int], resize_offset: float = 0.0, flip: bool = False
    ) -> ImageAugmentationParams:
        """Test-time parameters for an image of size (width, height)."""
        resize = self.final_size[1] / size[0] + resize_offset
        left = max(0, int(size[0] * resize) - self.final_size[1]) // 2
        return self._params(size, resize, float(np.mean(self.crop_bottom)), left, flip, 0.0)

    def sample_params(self, size: tuple[int, int]) -> ImageAugmentationParams:
        """Random training parameters for an image of size (width, height)."""
        resize = self.final_size[1] / size[0] + np.random.uniform(*self.resize)
        bottom = np.random.uniform(*self.crop_bottom)
        room = max(0, int(size[0] * resize) - self.final_size[1])
        left = int(np.random.uniform(0, room))
        flip = self.flip and bool(np.random.randint(2))
        return self._params(size, resize, bottom, left, flip, np.random.uniform(*self.rotate))

    def _params(
        self,
        size: tuple[int, int],
        resize: float,
        crop_bottom: float,
        left: int,
        flip: bool,
        rotate: float,
    ) -> ImageAugmentationParams:
        dims = (int(size[0] * resize), int(size[1] * resize))
        height, width = self.final_size
        top = int((1 - crop_bottom) * dims[1]) - height
        return ImageAugmentationParams(
            resize, dims, (left, top, left + width, top + height), flip, rotate
        )

    def apply(self, results: dict, params: list[ImageAugmentationParams]) -> dict:
        """Augment ``img`` and ``img_aug`` with one set of parameters per camera, those of the
        key frame also for ``adjacent`` frames."""
        for frame in (results, *results.get('adjacent', ())):
            images = zip(frame['img'], params, strict=True)
            frame['img'] = [camera.apply(image) for image, camera in images]
            frame['img_aug'] = np.stack([camera.matrix() for camera in params])
        return results

    def transform(self, results: dict) -> dict:
        draw = self.sample_params if self.random else self.fixed_params
        sizes = results.get('img_full_size', [image.size for image in results['img']])
        return self.apply(results, [draw(size) for size in sizes])
