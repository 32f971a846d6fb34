"""Input processing of networks: image to tensor, checks, normalisation, resizing."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

PRESETS = {
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    'clip': ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    'none': ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


def pixel_tensor(image: Image.Image | np.ndarray) -> Tensor:
    """RGB images (..., H, W, 3) uint8 as (..., 3, H, W) uint8, a quarter of the size of floats.

    The memory layout stays that of the image, channels last, in which convolutions are faster on
    CPU; ``contiguous()`` changes it.
    """
    pixels = image if isinstance(image, np.ndarray) else np.array(image)
    return torch.from_numpy(pixels).movedim(-1, -3)


def unit_range(images: Tensor) -> Tensor:
    """Images of 8 bit as float32 in [0, 1], the input of models; floats unchanged."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def to_tensor(image: Image.Image | np.ndarray) -> Tensor:
    """RGB images (..., H, W, 3) uint8 as (..., 3, H, W) float32 in [0, 1].

    Example:
        >>> to_tensor(np.full((2, 4, 3), 255, np.uint8)).shape
        torch.Size([3, 2, 4])
    """
    return unit_range(pixel_tensor(image))


class InputNormalization(nn.Module):
    """Normalisation (x - mean) / std of RGB images in [0, 1]; part of each tower.

    Args:
        mean: three numbers on the [0, 1] scale, or a preset: 'imagenet', 'clip', 'none'.
        std: likewise.
        channel_order: 'rgb', or 'bgr' to swap the channels first; `mean` and `std` are then
            applied in the order written (BEVDet's weights need BGR with RGB-ordered statistics).

    Raises:
        ValueError: unknown preset or channel order, or not three numbers.
    """

    def __init__(
        self,
        mean: str | Sequence[float] = 'none',
        std: str | Sequence[float] = 'none',
        channel_order: str = 'rgb',
    ) -> None:
        super().__init__()
        if channel_order not in ('rgb', 'bgr'):
            raise ValueError(f"channel_order must be 'rgb' or 'bgr', got {channel_order!r}")
        self.swap = channel_order == 'bgr'
        self.register_buffer('mean', _statistics(mean, 0), persistent=False)
        self.register_buffer('std', _statistics(std, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 3, H, W), RGB float in [0, 1] -> the same shape, normalised.

        Raises:
            ValueError: any other shape, or integer pixels.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise ValueError(
                'expected RGB images as float tensor (B, 3, H, W) in [0, 1], got '
                f'{images.dtype} {tuple(images.shape)}; fold cameras into the batch, divide by 255'
            )
        if self.swap:
            images = images.flip(1)
        return (images - self.mean) / self.std


def _statistics(values: str | Sequence[float], which: int) -> Tensor:
    if isinstance(values, str):
        if values not in PRESETS:
            raise ValueError(f'unknown statistics {values!r}; presets are {sorted(PRESETS)}')
        values = PRESETS[values][which]
    if len(values) != 3:
        raise ValueError(f'expected one number per colour channel (3), got {list(values)}')
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, antialiased resize of (B, 3, H, W) to `size` (rows, columns), if it differs."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    if torch.onnx.is_in_onnx_export():  # few runtimes have an antialiased Resize
        rows, columns = (
            _resize_weights(int(old), new) for old, new in zip(images.shape[-2:], size, strict=True)
        )
        return rows.to(images) @ images @ columns.T.to(images)
    return F.interpolate(images, size=size, mode='bilinear', antialias=True, align_corners=False)


def _resize_weights(old: int, new: int) -> Tensor:
    """(new, old) weights of the antialiased bilinear resize along one axis."""
    scale = old / new
    centres, pixels = (np.arange(new) + 0.5) * scale, np.arange(old) + 0.5
    weights = 1 - np.abs(pixels - centres[:, None]) / max(scale, 1.0)
    weights = weights.clip(0)
    return torch.from_numpy(weights / weights.sum(1, keepdims=True))


def even_taps(depth: int, count: int) -> tuple[int, ...]:
    """Evenly spaced block indices, `count` of `depth`: (12, 4) -> 2, 5, 8, 11."""
    if not 0 < count <= depth:
        raise ValueError(f'expected 1 to {depth} taps, one per block at most, got {count}')
    return tuple((i + 1) * depth // count - 1 for i in range(count))
