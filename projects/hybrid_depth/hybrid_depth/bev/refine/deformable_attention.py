"""Deformable attention on one map with several weighted anchors per query."""

from __future__ import annotations

import warnings

import torch
from mmcv.ops import MultiScaleDeformableAttention
from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch
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
        sampled = multi_scale_deformable_attn_pytorch(
            value, torch.tensor([size]), points.unsqueeze(3), attention.unsqueeze(3)
        )
        return self.output_proj(sampled)
