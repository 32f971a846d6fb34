"""Depth discretisation shared by lift, supervision and depth consistency."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SPACINGS = ('uniform', 'log')
ANCHORS = ('lower', 'centre')


@dataclass(frozen=True)
class DepthBins:
    """Bins over [start, stop) metres.

    ``log`` follows BEVDet's spacing-increasing rule: lower edges
    ``start * ((stop - 1) / start) ** (i / (num - 1))`` (docs/reference/bevdet.md, "Depth bins").

    Args:
        start: lower edge of the first bin, metres.
        stop: end of the range (exclusive), metres.
        step: bin width for ``uniform``; for ``log`` it only sets the number of bins.
        num: number of bins, instead of ``step``.
        spacing: ``uniform`` or ``log``.
        anchor: point of a bin at which features are lifted (``anchors``): its ``lower`` edge
            (official BEVDet weights, half a bin too near) or its ``centre`` (new models).

    Raises:
        ValueError: empty range, unknown spacing or anchor, both or neither of step and num.

    Example:
        >>> bins = DepthBins(start=1.0, stop=5.0, step=1.0)
        >>> bins.anchors.tolist()
        [1.5, 2.5, 3.5, 4.5]
        >>> bins.index(torch.tensor([0.5, 1.0, 4.9, 5.0])).tolist()
        [-1, 0, 3, -1]
        >>> bins.expectation(torch.tensor([0.0, 0.5, 0.5, 0.0]).view(1, 4, 1, 1)).item()
        3.0
    """

    start: float
    stop: float
    step: float | None = None
    num: int | None = None
    spacing: str = 'uniform'
    anchor: str = 'centre'

    def __post_init__(self):
        if not 0 < self.start < self.stop:
            raise ValueError(f'DepthBins: expected 0 < start < stop, got {self.start}, {self.stop}')
        if (self.step is None) == (self.num is None):
            raise ValueError('DepthBins: give either step or num')
        if self.spacing not in SPACINGS:
            raise ValueError(f'DepthBins: spacing must be one of {SPACINGS}, got {self.spacing!r}')
        if self.anchor not in ANCHORS:
            raise ValueError(f'DepthBins: anchor must be one of {ANCHORS}, got {self.anchor!r}')
        if self.num is None:
            object.__setattr__(self, 'num', int(round((self.stop - self.start) / self.step)))

    @property
    def edges(self) -> Tensor:
        """(num + 1,) float32 edges, metres."""
        index = torch.arange(self.num + 1, dtype=torch.float64)
        if self.spacing == 'log':
            ratio = (self.stop - 1) / self.start
            return (self.start * ratio ** (index / (self.num - 1))).float()
        width = (self.stop - self.start) / self.num
        return (self.start + index * width).float()

    @property
    def anchors(self) -> Tensor:
        """(num,) float32 depths at which the bins are lifted, metres: lower edges or centres."""
        return self.edges[:-1] if self.anchor == 'lower' else self.centres

    @property
    def centres(self) -> Tensor:
        """(num,) float32 bin centres, metres; targets and expected depth use them whatever the
        anchor."""
        edges = self.edges
        return (edges[:-1] + edges[1:]) / 2

    def index(self, depth: Tensor) -> Tensor:
        """Bin of each depth, int64; -1 outside the range."""
        edges = self.edges.to(depth)
        index = torch.bucketize(depth, edges, right=True) - 1
        return index.masked_fill((depth < edges[0]) | (depth >= edges[-1]), -1)

    def position(self, depth: Tensor) -> Tensor:
        """Fractional index of each depth among the bin centres: i at the centre of bin i, linear in
        between, clamped to [0, num - 1]. Same shape and dtype as `depth`."""
        centres = self.centres.to(depth)
        upper = torch.bucketize(depth, centres).clamp(1, self.num - 1)
        below, above = centres[upper - 1], centres[upper]
        return (upper - 1 + (depth - below) / (above - below)).clamp(0, self.num - 1)

    def one_hot(self, depth: Tensor) -> Tensor:
        """(B, h, w) metres -> (B, num, h, w); all zero outside the range."""
        index = self.index(depth)
        bins = torch.arange(self.num, device=depth.device).view(-1, 1, 1)
        return (index.unsqueeze(1) == bins).to(depth.dtype)

    def soft(self, depth: Tensor, sigma: float = 1.0) -> Tensor:
        """(B, h, w) metres -> (B, num, h, w) Gaussian over bin centres, summing to one.

        Args:
            depth: metres; outside the range the target is all zero.
            sigma: width in units of the bin the depth falls into.
        """
        index = self.index(depth)
        edges = self.edges.to(depth)
        width = (edges[1:] - edges[:-1])[index.clamp(min=0)].unsqueeze(1)
        centres = self.centres.to(depth).view(-1, 1, 1)
        target = torch.softmax(-0.5 * ((depth.unsqueeze(1) - centres) / (sigma * width)) ** 2, 1)
        return target * (index >= 0).unsqueeze(1)

    def expectation(self, prob: Tensor) -> Tensor:
        """(B, num, h, w) distribution -> (B, h, w) expected depth over bin centres, metres."""
        return torch.einsum('bdhw,d->bhw', prob, self.centres.to(prob))
