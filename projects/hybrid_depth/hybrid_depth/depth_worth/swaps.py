"""Tests with true depth in parts of the feature cells, and the config of each."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.config import Config

from ..bev.hooks.true_depth import BACKGROUND
from ..doctor.datasets import innermost_datasets
from ..errors import ConfigError

#: Where ranges begin, metres.
EDGES = (0.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True)
class Swap:
    """One test of a report: which cells have true depth.

    Attributes:
        kind: 'predicted' (no cell), 'true' (all), 'range' or 'class'.
        name: of the part of the cells.
        there: True for true depth in the part alone, False for predicted depth in the part alone.
        hook: arguments of `TrueDepthHook` that choose the part.
    """

    kind: str
    name: str
    there: bool
    hook: dict

    def as_dict(self) -> dict:
        """Fields for JSON."""
        return dict(kind=self.kind, name=self.name, there=self.there)


PREDICTED = Swap('predicted', 'predicted depth', False, {})
TRUE = Swap('true', 'true depth', True, {})


def range_swaps(edges: Sequence[float]) -> list[Swap]:
    """Both tests of each range of the true depth: from an edge to the next, the last without end.

    Raises:
        ConfigError: edges that do not ascend.
    """
    if not edges or any(low >= high for low, high in zip(edges, edges[1:], strict=False)):
        raise ConfigError(f'expected ascending edges of ranges, metres, got {list(edges)}')
    parts = {
        f'over {low:g} m' if high is None else f'{low:g}-{high:g} m': dict(ranges=[(low, high)])
        for low, high in zip(edges, [*edges[1:], None], strict=True)
    }
    return [Swap('range', name, t, hook) for name, hook in parts.items() for t in (True, False)]


def class_swaps(classes: Sequence[str]) -> list[Swap]:
    """Both tests of each class, and of the background."""
    names = (*classes, BACKGROUND)
    return [Swap('class', n, there, dict(classes=[n])) for n in names for there in (True, False)]


def config_of(cfg: Config, swap: Swap, folder: str, sigma: float | None = None) -> Config:
    """Config that tests with true depth in some cells; the given one is unchanged.

    Args:
        cfg: config of a detector with a test_dataloader.
        swap: the test.
        folder: true depth, as of `LoadTrueDepth`.
        sigma: as of `TrueDepthHook`.

    Raises:
        ConfigError: the test pipeline has no `ImageAugmentation`.
    """
    cfg = copy.deepcopy(cfg)
    for dataset in innermost_datasets(cfg.get('test_dataloader')):
        kinds = [transform['type'] for transform in dataset.get('pipeline', ())]
        if 'ImageAugmentation' not in kinds:
            raise ConfigError(
                f'{cfg.filename}: expected a detector, whose test pipeline has ImageAugmentation, '
                f'got {kinds}'
            )
        load = dict(type='LoadTrueDepth', folder=folder, root=dataset['data_root'])
        dataset['pipeline'].insert(1 + kinds.index('ImageAugmentation'), load)
    if swap is not PREDICTED:
        inverse = swap.kind in ('range', 'class') and not swap.there
        hook = dict(type='TrueDepthHook', inverse=inverse, sigma=sigma, **swap.hook)
        cfg.custom_hooks = [*cfg.get('custom_hooks', ()), hook]
    return cfg
