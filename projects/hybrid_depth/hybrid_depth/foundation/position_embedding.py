"""Resampling of DINOv2's position embedding."""

import numpy as np
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

POSITION_OFFSET = 0.1


def resize_position_embedding(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """Position embedding resized as in DINOv2: bicubic by scale factor, no antialias.

    The factors are (size + 0.1) / old size in float32, which shifts the sampling points; resizing
    directly to `size` gives other values (docs/reference/hybrid_depth.md, "Position embedding").

    Args:
        grid: (1, rows, columns, C).
        size: new (rows, columns).

    Returns:
        (1, *size, C); the same tensor if it has that size.
    """
    rows, columns = grid.shape[1:3]
    if (rows, columns) == tuple(size):
        return grid
    factors = np.add(size, POSITION_OFFSET, dtype=np.float32) / np.float32((rows, columns))
    resized = F.interpolate(
        grid.permute(0, 3, 1, 2).float(),
        scale_factor=factors.tolist(),
        mode='bicubic',
        antialias=False,
    )
    return resized.permute(0, 2, 3, 1).to(grid.dtype)


class OffsetPositionViT(VisionTransformer):
    """timm's plain ViT with DINOv2's resizing of the position embedding."""

    def _pos_embed(self, x: Tensor) -> Tensor:
        batch, size = x.shape[0], tuple(int(n) for n in x.shape[1:3])
        with_position = 0 if self.no_embed_class else self.num_prefix_tokens
        grid = self.pos_embed[:, with_position:].unflatten(1, self.patch_embed.grid_size)
        tokens = x.flatten(1, 2) + resize_position_embedding(grid, size).flatten(1, 2)
        extra = [t for t in (self.cls_token, self.reg_token) if t is not None]
        if extra:
            prefix = torch.cat(extra, dim=1)
            if with_position:
                prefix = prefix + self.pos_embed[:, :with_position]
            tokens = torch.cat([prefix.expand(batch, -1, -1), tokens], dim=1)
        return self.pos_drop(tokens)
