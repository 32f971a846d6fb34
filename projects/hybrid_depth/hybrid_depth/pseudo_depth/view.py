"""A depth model in front of a detector's augmented images."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..bev.transforms.image_augmentation import ImageAugmentation
from ..errors import ConfigError
from ..geometry.depth_scale import DepthScale
from .model import PseudoDepth


class OwnView:
    """Shows a depth model what it knows: whole images, upright, at the size it was trained at.

    A detector crops, turns and mirrors its images. Squeezed to the model's size as they are, they
    have another aspect and another horizon, and the model's answer fits no ground plane.

    Args:
        source: of the depth.
        image_size: (height, width) of the original images, which calibration is about.

    Attributes:
        known: share of the pixels of the last batch that got a depth.

    Raises:
        ConfigError: the model's training size is not known.
    """

    def __init__(self, source: PseudoDepth, image_size: tuple[int, int]) -> None:
        self.source, self.size = source, source.model.image_size
        if self.size is None:
            raise ConfigError('OwnView: expected a depth model that names its training size')
        resize = ImageAugmentation(self.size, random=False).fixed_params(tuple(image_size)[::-1])
        self.img_aug = torch.from_numpy(resize.matrix())
        self.known: float | None = None

    @torch.no_grad()
    def __call__(self, inputs: dict) -> tuple[Tensor, DepthScale]:
        """Depth of a batch of `BEVDataPreprocessor`, augmented in whatever way.

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
        """(B, N, h, w, 2) pixel of a frame's images that each pixel of the own view is at."""
        img_aug = frame['rig'].img_aug
        return _map(self.size, img_aug @ self.img_aug.to(img_aug).inverse())

    def _frame(self, frame: dict) -> dict:
        """Images and rig of a frame in the own view, and `seen`, (B, N, h, w) bool: the part of it
        that the augmented images show."""
        images, rig, pixels = frame['imgs'], frame['rig'], self._pixels(frame)
        last = pixels.new_tensor([images.shape[-1] - 1, images.shape[-2] - 1])
        own = self.img_aug.to(rig.img_aug).expand_as(rig.img_aug)
        return dict(
            imgs=_look_up(images, pixels, 'bilinear'),
            rig=replace(rig, img_aug=own),
            seen=((pixels >= 0) & (pixels <= last)).all(-1),
        )


def _map(size: tuple[int, int], affine: Tensor) -> Tensor:
    """(B, N, 3, 3) -> (B, N, H, W, 2), where it takes the pixels (u, v) of a size."""
    v, u = torch.meshgrid(*(torch.arange(n).to(affine) for n in size), indexing='ij')
    pixels = torch.stack((u, v, torch.ones_like(u)), -1)
    return torch.einsum('bnij,hwj->bnhwi', affine[..., :2, :], pixels)


def _look_up(maps: Tensor, pixels: Tensor, mode: str = 'nearest') -> Tensor:
    """(B, N, [C,] H, W) at pixels (B, N, h, w, 2), 0 outside."""
    last = pixels.new_tensor([maps.shape[-1] - 1, maps.shape[-2] - 1])
    grid = (pixels / last * 2 - 1).flatten(0, 1).to(maps)
    flat = maps.flatten(0, 1) if maps.dim() == 5 else maps.flatten(0, 1).unsqueeze(1)
    found = F.grid_sample(flat, grid, mode, align_corners=True)
    return found.view(*maps.shape[:-2], *pixels.shape[-3:-1])
