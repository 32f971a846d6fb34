"""Depth-aware deformable attention from BEV queries to image features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from mmcv.cnn.bricks.transformer import FFN
from mmdet.models.layers import LearnedPositionalEncoding
from mmdet3d.registry import MODELS
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from ...geometry import CameraRig, PillarView, depth_at, project_pillars
from ..parts import BEVSpace
from .deformable_attention import DeformableAttention

CONSISTENCIES = ('linear', 'one_hot', 'none')


@dataclass(frozen=True)
class SeenPillars:
    """Values of the cross-attention: image features, and the pillars that each camera sees.

    Args:
        features: (B, N, h * w, C).
        size: (h, w).
        queries: (B, N, V) int64 query of each pillar, of which a camera sees at most V.
        visible: (B, N, V) bool; false for the rest of cameras that see fewer.
        uv: (B, N, V, A, 2) anchors in the images, 0 to 1 from edge to edge.
        weight: (B, N, V, A) depth consistency.
        cameras: (B, L) number of cameras in which each of L queries is visible.
    """

    features: Tensor
    size: tuple[int, int]
    queries: Tensor
    visible: Tensor
    uv: Tensor
    weight: Tensor
    cameras: Tensor


@dataclass(frozen=True)
class CameraValues:
    """Image features and projections of L pillars of A anchors in every camera.

    Args:
        features: (B, N, h * w, C).
        size: (h, w).
        uv: (B, N, L, A, 2) anchors in the images, 0 to 1 from edge to edge.
        visible: (B, N, L) bool: an anchor of the pillar is in the camera's image.
        weight: (B, N, L, A) depth consistency.
    """

    features: Tensor
    size: tuple[int, int]
    uv: Tensor
    visible: Tensor
    weight: Tensor

    def seen(self) -> SeenPillars:
        """The pillars that are visible, by camera."""
        longest, a = max(int(self.visible.sum(-1).max()), 1), self.weight.shape[-1]
        # invisible ones last
        order = self.visible.byte().sort(dim=-1, descending=True, stable=True).indices
        order = order[..., :longest]
        return SeenPillars(
            features=self.features,
            size=self.size,
            queries=order,
            visible=self.visible.gather(2, order),
            uv=self.uv.gather(2, _expand(order, a, 2)),
            weight=self.weight.gather(2, _expand(order, a)),
            cameras=self.visible.sum(1),
        )


class CameraCrossAttention(BaseModule):
    """Deformable attention from queries to the cameras in which their pillars are visible.

    The output of a query is the mean over these cameras (BEVFormer, arXiv 2203.17270, section 3.3).

    Args:
        embed_dims, num_heads, num_points, num_anchors: see ``DeformableAttention``.
    """

    def __init__(self, embed_dims: int, num_heads: int, num_points: int, num_anchors: int):
        super().__init__()
        self.deformable_attention = DeformableAttention(
            embed_dims, num_heads, num_points, num_anchors, project=False
        )
        self.output_proj = nn.Linear(embed_dims, embed_dims)
        nn.init.xavier_uniform_(self.output_proj.weight)
        nn.init.zeros_(self.output_proj.bias)

    def forward(self, query: Tensor, values: SeenPillars) -> Tensor:
        """Attend to each camera with the queries visible in it.

        Args:
            query: (B, L, C), position included.
            values: image features and the pillars of these queries that are visible.

        Returns:
            (B, L, C), without the residual.
        """
        n, channels = values.queries.shape[1], query.shape[-1]
        index = _expand(values.queries.flatten(1), channels)
        found = self.deformable_attention(
            query.gather(1, index).unflatten(1, (n, -1)).flatten(0, 1),
            values.features.flatten(0, 1),
            values.uv.flatten(0, 1),
            values.size,
            values.weight.flatten(0, 1),
        )
        found = found.unflatten(0, (-1, n)).flatten(1, 2).to(query.dtype)
        found = found * values.visible.flatten(1).unsqueeze(-1)
        total = torch.zeros_like(query).scatter_add(1, index, found)
        return self.output_proj(total / values.cameras.clamp(min=1).unsqueeze(-1))


def _expand(index: Tensor, *sizes: int) -> Tensor:
    """Index for ``gather`` along its last dimension, for tensors with further ``sizes``."""
    return index.view(*index.shape, *[1] * len(sizes)).expand(*index.shape, *sizes)


class BackwardProjectionLayer(BaseModule):
    """Layer of self-attention, cross-attention and feed-forward, each with residual and norm."""

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        self_points: int,
        cross_points: int,
        num_anchors: int,
        feedforward_channels: int,
    ):
        super().__init__()
        self.attentions = ModuleList(
            [
                DeformableAttention(embed_dims, num_heads, self_points),
                CameraCrossAttention(embed_dims, num_heads, cross_points, num_anchors),
            ]
        )
        self.ffns = ModuleList([FFN(embed_dims, feedforward_channels)])
        self.norms = ModuleList([nn.LayerNorm(embed_dims) for _ in range(3)])

    def forward(
        self,
        query: Tensor,
        position: Tensor,
        plane: Tensor,
        size: tuple[int, int],
        reference_points: Tensor,
        values: SeenPillars,
    ) -> Tensor:
        """(B, L, C) queries -> (B, L, C).

        Args:
            query, position: (B, L, C).
            plane: (B, Y * X, C) BEV map of all cells, for the self-attention.
            size: (Y, X).
            reference_points: (B, L, 1, 2) query positions in the map, 0 to 1.
            values: see ``CameraCrossAttention``.
        """
        to_plane, to_cameras = self.attentions
        query = query + to_plane(query + position, plane, reference_points, size)
        query = self.norms[0](query)
        query = query + to_cameras(query + position, values)
        query = self.norms[1](query)
        return self.norms[2](self.ffns[0](query))


@MODELS.register_module()
class BackwardProjection(BaseModule):
    """Depth-aware deformable attention from BEV cells to image features (FB-BEV, arXiv 2308.02236).

    Each anchor's attention is weighted by the probability of its depth under the predicted depth
    distribution of its pixel (docs/reference/fb_bev.md, "Backward projection"). Equal to the code
    published with FB-OCC for ``consistency='one_hot'``, all cells kept and images shifted by the
    half pixel that this code omits. Intended differences from that code
    (docs/reference/fb_bev.md, "Deviations from the published code"): cells that are not kept do not
    change, take part in the self-attention unchanged, and receive no image features.

    Args:
        space: discretisation; BEV map and image features have its ``channels``.
        anchor_heights: (lower, upper, step) metres; anchors are the centres of the steps.
        num_layers: number of layers.
        num_heads: heads of both attentions.
        self_points: points per head on the BEV map.
        cross_points: points per head and camera, shared by the anchors.
        feedforward_channels: hidden channels of the feed-forward part; None for 4 C.
        consistency: depth consistency weight: ``linear`` interpolates between the two nearest bins;
            ``one_hot`` uses the bin of the depth, as FB-OCC; ``none`` is BEVFormer's attention.

    Raises:
        ValueError: an unknown consistency.
    """

    def __init__(
        self,
        space: BEVSpace,
        anchor_heights: Sequence[float],
        num_layers: int = 1,
        num_heads: int = 8,
        self_points: int = 4,
        cross_points: int = 8,
        feedforward_channels: int | None = None,
        consistency: str = 'linear',
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if consistency not in CONSISTENCIES:
            raise ValueError(
                f'BackwardProjection: consistency must be one of {CONSISTENCIES}, got '
                f'{consistency!r}'
            )
        self.consistency, self.anchor_heights = consistency, anchor_heights
        self.bins, self.image_size, embed_dims = space.bins, space.image_size, space.channels
        pillars = replace(space.grid, z=tuple(anchor_heights))
        width, height, num_anchors = pillars.size
        self.size = (height, width)
        self.register_buffer(
            'pillars', pillars.centres().flatten(1, 2).transpose(0, 1), persistent=False
        )
        self.bev_embedding = nn.Embedding(height * width, embed_dims)
        self.positional_encoding = LearnedPositionalEncoding(embed_dims // 2, height, width)
        self.layers = ModuleList(
            BackwardProjectionLayer(
                embed_dims,
                num_heads,
                self_points,
                cross_points,
                num_anchors,
                feedforward_channels or 4 * embed_dims,
            )
            for _ in range(num_layers)
        )
        # PyTorch's initialisation would dominate the map: its values are around 0.1, those of an
        # embedding or a norm around 1.
        nn.init.normal_(self.bev_embedding.weight, std=0.02)
        nn.init.constant_(self.layers[-1].norms[-1].weight, 0.1)

    def forward(
        self,
        bev: Tensor,
        context: Tensor,
        prob: Tensor,
        rig: CameraRig,
        kept: Tensor | None = None,
    ) -> Tensor:
        """Residual of a BEV map.

        Args:
            bev: (B, C, Y, X) BEV map of the forward projection.
            context: (B, N, C, h, w) image features.
            prob: (B, N, D, h, w) depth distribution.
            rig: B x N cameras of the lift.
            kept: (B, Y, X) bool, cells to refine; None for all.

        Returns:
            (B, C, Y, X), zero where cells are not kept.

        Raises:
            ValueError: size or channels of the map differ from ``space``.
        """
        expected = (self.bev_embedding.embedding_dim, *self.size)
        if tuple(bev.shape[1:]) != expected:
            raise ValueError(
                f'BackwardProjection: expected a BEV map of (channels, Y, X) {expected}, got '
                f'{tuple(bev.shape[1:])}; build it with the space of the view transformer'
            )
        if kept is None:
            kept = bev.new_ones((len(bev), *self.size), dtype=torch.bool)
        kept = kept.flatten(1)
        longest = max(int(kept.sum(1).max()), 1)
        cells = kept.byte().sort(dim=1, descending=True, stable=True).indices[:, :longest]
        kept = kept.gather(1, cells)
        values = self._camera_values(context, prob, rig, cells).seen()
        return self.refine(bev, cells, kept, values)

    def refine(self, bev: Tensor, cells: Tensor, kept: Tensor, values: SeenPillars) -> Tensor:
        """Residual (B, C, Y, X) of a BEV map from the projections of its cells.

        Args:
            bev: see ``forward``.
            cells: (B, L) int64 cells that are queries, each once.
            kept: (B, L) bool: those to refine.
            values: image features and the visible pillars of these cells.
        """
        blank = bev.new_zeros((1, *self.size))
        position = self.positional_encoding(blank).flatten(2).transpose(1, 2)[0][cells]
        rows = bev.flatten(2).transpose(1, 2)
        plane = rows + self.bev_embedding.weight
        reference_points = self._reference_points(cells)
        index = _expand(cells, plane.shape[-1])
        query = plane.gather(1, index)
        for layer in self.layers:
            refined = layer(query, position, plane, self.size, reference_points, values)
            query = torch.where(kept.unsqueeze(-1), refined, query)
            plane = plane.scatter(1, index, query)
        # no zeros_like, of which ONNX's exporter makes a constant with the batch of its example
        refined = (0 * rows.detach()).scatter(1, index, query * kept.unsqueeze(-1))
        return refined.transpose(1, 2).unflatten(2, self.size)

    def _reference_points(self, cells: Tensor) -> Tensor:
        """Centres (B, L, 1, 2) of cells (B, L) in the map, 0 to 1."""
        height, width = self.size
        place = torch.stack((cells % width, cells // width), -1) + 0.5
        return (place / place.new_tensor([width, height])).unsqueeze(2)

    def _camera_values(
        self, context: Tensor, prob: Tensor, rig: CameraRig, cells: Tensor
    ) -> CameraValues:
        """Image features and the projected pillars of cells (B, L)."""
        view = project_pillars(self.pillars, rig, self.image_size)
        cells, a = cells.unsqueeze(1).expand(-1, rig.num_cams, -1), self.pillars.shape[1]
        view = PillarView(
            uv=view.uv.gather(2, _expand(cells, a, 2)),
            depth=view.depth.gather(2, _expand(cells, a)),
            hit=view.hit.gather(2, _expand(cells, a)),
        )
        weight = view.depth.new_ones(view.depth.shape)
        if self.consistency != 'none':
            weight = depth_at(view, prob, self._position(view.depth))
        features = context.flatten(3).transpose(2, 3)
        visible = view.hit.any(-1)
        return CameraValues(features, tuple(context.shape[-2:]), view.uv, visible, weight)

    def _position(self, depth: Tensor) -> Tensor:
        """Fractional bin index of depths."""
        if self.consistency == 'linear':
            return self.bins.position(depth)
        return torch.bucketize(depth, self.bins.edges[1:-1].to(depth), right=True).to(depth)
