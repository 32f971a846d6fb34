"""Input of a depth model from a detector's augmented images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..bev.transforms.image_augmentation import ImageAugmentation
from ..errors import ConfigError
from ..geometry.depth_scale import DepthScale
from .model import PseudoDepth


class ModelView:
    """Depth model on a detector's images, warped back to complete, upright images of its size.

    A detector crops, rotates and mirrors its images. Resized to the model's size, they would have
    another aspect ratio and horizon, and the predicted depth would not match the ground plane.

    Args:
        source: pseudo-depth source.
        image_size: (height, width) of the original images, to which the calibration refers; or
            one for each camera.

    Attributes:
        known: fraction of pixels with a depth in the last batch.

    Raises:
        ConfigError: the model's training size is unknown.
    """

    def __init__(
        self, source: PseudoDepth, image_size: tuple[int, int] | Sequence[tuple[int, int]]
    ) -> None:
        self.source, self.size = source, source.model.image_size
        if self.size is None:
            raise ConfigError(
                'ModelView: expected a depth model with a training size in its checkpoint or '
                'config, got none; add ResizeFrames to the test pipeline of its config'
            )
        augmentation = ImageAugmentation(self.size, random=False)
        sizes = np.reshape(image_size, (-1, 2)).tolist()
        resized = [augmentation.fixed_params((width, height)) for height, width in sizes]
        self.img_aug = torch.from_numpy(np.stack([params.matrix() for params in resized]))
        self.known: float | None = None

    @torch.no_grad()
    def __call__(self, inputs: dict) -> tuple[Tensor, DepthScale]:
        """Pseudo depth of a batch of `BEVDataPreprocessor` with any augmentation.

        Returns:
            (B, N, H, W) metres at the pixels of the images, 0 where unknown; and the scale of the
            B * N images.
        """
        shown = dict(inputs, **self._frame(inputs))
        shown['adjacent'] = [self._frame(frame) for frame in inputs.get('adjacent', ())]
        for name in ('gt_depth', 'ground_mask'):
            if name in inputs:
                there = self._pixels(inputs)
                shown[name] = _look_up(inputs[name].float(), there).to(inputs[name].dtype)
        depth, scale = self.source(shown)
        size = tuple(inputs['imgs'].shape[-2:])
        img_aug = inputs['rig'].img_aug
        depth = _look_up(depth, _map(size, self.img_aug.to(img_aug) @ img_aug.inverse()))
        self.known = (depth > 0).float().mean().item()
        return depth, scale

    def _pixels(self, frame: dict) -> Tensor:
        """(B, N, h, w, 2) pixel in a frame's images of each pixel of the model's view."""
        img_aug = frame['rig'].img_aug
        return _map(self.size, img_aug @ self.img_aug.to(img_aug).inverse())

    def _frame(self, frame: dict) -> dict:
        """Images and rig of a frame in the model's view, and `visible`, (B, N, h, w) bool, the part
        of the view that is in the augmented images."""
        images, rig, pixels = frame['imgs'], frame['rig'], self._pixels(frame)
        last = pixels.new_tensor([images.shape[-1] - 1, images.shape[-2] - 1])
        model_aug = self.img_aug.to(rig.img_aug).expand_as(rig.img_aug)
        return dict(
            imgs=_look_up(images, pixels, 'bilinear'),
            rig=replace(rig, img_aug=model_aug),
            visible=((pixels >= 0) & (pixels <= last)).all(-1),
        )


def _map(size: tuple[int, int], affine: Tensor) -> Tensor:
    """Pixels (u, v) of a size, mapped by affine maps, (B, N, 3, 3) -> (B, N, H, W, 2)."""
    v, u = torch.meshgrid(*(torch.arange(n).to(affine) for n in size), indexing='ij')
    pixels = torch.stack((u, v, torch.ones_like(u)), -1)
    return torch.einsum('bnij,hwj->bnhwi', affine[..., :2, :], pixels)


def _look_up(maps: Tensor, pixels: Tensor, mode: str = 'nearest') -> Tensor:
    """Values of maps (B, N, [C,] H, W) at pixels (B, N, h, w, 2), 0 outside."""
    last = pixels.new_tensor([maps.shape[-1] - 1, maps.shape[-2] - 1])
    grid = (pixels / last * 2 - 1).flatten(0, 1).to(maps)
    flat = maps.flatten(0, 1) if maps.dim() == 5 else maps.flatten(0, 1).unsqueeze(1)
    found = F.grid_sample(flat, grid, mode, align_corners=True)
    return found.view(*maps.shape[:-2], *pixels.shape[-3:-1])
