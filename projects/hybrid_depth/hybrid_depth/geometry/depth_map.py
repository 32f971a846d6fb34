"""Depth maps with the kind of their values: disparity, relative or metric depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

DepthKind = Literal['disparity', 'relative', 'metric']


@dataclass(frozen=True)
class DepthMap:
    """Depth maps of a batch of images, and their kind.

    Args:
        values: (B, 1, H, W) > 0, along the camera's z axis.
        kind: ``disparity``, 1 / depth up to one factor per image; ``relative``, depth up to one
            factor per image; ``metric``, depth in metres.

    Raises:
        ValueError: another shape, or an unknown kind.

    Example:
        >>> disparity = DepthMap(torch.tensor([[[[0.5, 0.25]]]]), 'disparity')
        >>> disparity.to('relative').values.flatten().tolist()
        [2.0, 4.0]
        >>> disparity.scaled(5.0).to('metric').values.flatten().tolist()
        [10.0, 20.0]
        >>> disparity.to('metric')
        Traceback (most recent call last):
        ...
        ValueError: expected metric depth, got disparity, known up to one factor per image; ...
    """

    values: Tensor
    kind: DepthKind

    def __post_init__(self):
        if self.values.dim() != 4 or self.values.shape[1] != 1:
            raise ValueError(
                f'DepthMap: expected values (B, 1, H, W), got {tuple(self.values.shape)}'
            )
        if self.kind not in get_args(DepthKind):
            raise ValueError(
                f'DepthMap: expected a kind among {get_args(DepthKind)}, got {self.kind!r}'
            )

    def to(self, kind: DepthKind) -> DepthMap:
        """The same maps converted to another kind; metric depth may become relative or disparity.

        Raises:
            ValueError: metric depth requested of maps of unknown scale.
        """
        if kind == 'metric' and self.kind != 'metric':
            raise ValueError(
                f'expected metric depth, got {self.kind}, known up to one factor per image; use '
                'a metric model, or give the metres per unit: scaled(metres)'
            )
        reciprocal = (kind == 'disparity') != (self.kind == 'disparity')
        return DepthMap(1 / self.values if reciprocal else self.values, kind)

    def scaled(self, metres: Tensor | float) -> DepthMap:
        """Metric depth of maps that are known up to a factor.

        Args:
            metres: metres per unit of depth; a number, or one per image, broadcast to `values`.

        Raises:
            ValueError: the depth is metric already.
        """
        if self.kind == 'metric':
            raise ValueError(
                f'expected relative depth or disparity to scale, got metric depth and scale '
                f'{metres}; leave the scale out'
            )
        return DepthMap(self.to('relative').values * metres, 'metric')
