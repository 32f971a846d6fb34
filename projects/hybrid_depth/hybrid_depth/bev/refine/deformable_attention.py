"""Deformable attention on one map with several weighted anchors per query."""

from __future__ import annotations

import warnings

import torch.nn.functional as F
from mmcv.ops import MultiScaleDeformableAttention
from torch import Tensor, nn


class DeformableAttention(MultiScaleDeformableAttention):
    """Deformable attention (Deformable DETR, arXiv 2010.04159) with several anchors per query.

    Sampled by PyTorch on every device, with anchor weights applied first, so CPU and GPU agree
    (docs/reference/fb_bev.md, "Attention on every device"). Parameters and initialisation are
    mmcv's.

    Args:
        embed_dims: channels C.
        num_heads: number of heads, dividing C.
        num_points: sampling points per head, assigned to the anchors cyclically.
        num_anchors: anchors per query, dividing ``num_points``.
        project: use an output projection.

    Raises:
        ValueError: the anchors do not divide the points, or the heads the channels.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        num_points: int,
        num_anchors: int = 1,
        project: bool = True,
    ):
        if num_points % num_anchors:
            raise ValueError(
                f'DeformableAttention: expected num_points a multiple of the {num_anchors} anchors '
                f'of a query, got {num_points}'
            )
        with warnings.catch_warnings():  # of head widths slow in the CUDA kernel, which is not used
            warnings.simplefilter('ignore')
            super().__init__(embed_dims, num_heads, 1, num_points, dropout=0, batch_first=True)
        self.num_anchors = num_anchors
        if not project:
            self.output_proj = nn.Identity()

    def forward(
        self,
        query: Tensor,
        value: Tensor,
        anchors: Tensor,
        size: tuple[int, int],
        weight: Tensor | None = None,
    ) -> Tensor:
        """Apply the attention.

        Args:
            query: (B, Q, C), position included.
            value: (B, H * W, C), row-major.
            anchors: (B, Q, A, 2) x, y in the map, 0 to 1 from edge to edge.
            size: (H, W) of the map.
            weight: (B, Q, A) factors of the attention weights of each anchor's points, without
                renormalisation; None for ones.

        Returns:
            (B, Q, C), without the residual.
        """
        value = self.value_proj(value).unflatten(-1, (self.num_heads, -1))
        shape = (self.num_heads, -1, self.num_anchors)
        offsets = self.sampling_offsets(query).unflatten(-1, (*shape, 2))
        offsets = offsets / offsets.new_tensor([size[1], size[0]])
        points = (anchors[:, :, None, None] + offsets).flatten(3, 4)
        attention = self.attention_weights(query).unflatten(-1, (self.num_heads, -1)).softmax(-1)
        if weight is not None:
            attention = attention.unflatten(-1, shape[1:]) * weight[:, :, None, None]
            attention = attention.flatten(3)
        return self.output_proj(self._sample(value, points, attention, size))

    def _sample(
        self, value: Tensor, points: Tensor, attention: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Weighted sums (B, Q, C) of values (B, H * W, heads, C / heads) at P points.

        mmcv's sampling for one map, without the size of the batch, which is free in ONNX graphs.

        Args:
            points: (B, Q, heads, P, 2) x, y in the map, 0 to 1.
            attention: (B, Q, heads, P).
        """
        maps = value.permute(0, 2, 3, 1).flatten(0, 1).unflatten(-1, size)
        grid = (2 * points - 1).transpose(1, 2).flatten(0, 1)
        found = F.grid_sample(maps, grid, align_corners=False)  # (B * heads, C / heads, Q, P)
        weighted = found * attention.transpose(1, 2).flatten(0, 1).unsqueeze(1)
        sums = weighted.sum(-1).unflatten(0, (-1, self.num_heads))
        return sums.flatten(1, 2).transpose(1, 2)
