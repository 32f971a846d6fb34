"""What the checks of a detector look at: config, weights, and keyframes of its data sets."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from ..config_errors import explained
from ..errors import HybridDepthError
from ..findings import NotCheckedError, fault
from .box_points import Reading, fit
from .datasets import innermost_datasets
from .keyframes import Keyframe, read_keyframe
from .vehicle_overlap import VehicleOverlap

PARTS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_KEYFRAMES = 4  # of each info file, evenly spaced; enough for the weakest camera of the toy world


class Case:
    """A config with its weights and data, read when a check needs them.

    Args:
        cfg: complete config.
        checkpoint: content of a checkpoint file, or None.
        source: its name.
    """

    def __init__(self, cfg: Config, checkpoint: dict | None = None, source: str = '') -> None:
        self.cfg, self.checkpoint, self.source = cfg, checkpoint, source
        self._unreadable = False
        self._failed: set[str] = set()
        self._fits: dict[Reading, float] = {}

    @property
    def weights(self) -> dict:
        """Content of the checkpoint.

        Raises:
            NotCheckedError: there is none.
        """
        if self.checkpoint is None:
            raise NotCheckedError('no checkpoint was given')
        return self.checkpoint

    @cached_property
    def datasets(self) -> dict[str, Any]:
        """Data sets by part, each config once.

        Raises:
            NotCheckedError: an earlier check has reported that they cannot be read.
        """
        if self._unreadable:
            raise NotCheckedError('needs the data sets, which cannot be read')
        self._unreadable = True
        found = dict(self._build())
        self._unreadable = False
        return found

    def _build(self) -> Iterator[tuple[str, Any]]:
        seen = []
        for part in PARTS:
            for dataset in innermost_datasets(self.cfg.get(part)):
                if dataset not in seen:
                    seen.append(dataset)
                    scope = self.cfg.get('default_scope') or 'mmengine'
                    with (
                        DefaultScope.overwrite_default_scope(scope),
                        explained(self.cfg),
                        warnings.catch_warnings(action='ignore'),
                    ):
                        yield part, DATASETS.build(dataset)

    def sample(self, part: str) -> Any:
        """First sample of a data set after its pipeline.

        Raises:
            ConventionError: a transform raises an error that is not for users.
            NotCheckedError: an earlier check has reported this.
        """
        if part in self._failed:
            raise NotCheckedError(f'needs the pipeline of {part}, which fails')
        scope = self.cfg.get('default_scope') or 'mmengine'
        try:
            with DefaultScope.overwrite_default_scope(scope):
                return self.datasets[part][0]
        except HybridDepthError:
            raise
        except Exception as error:  # whatever a transform of the user does
            self._failed.add(part)
            raise fault(
                f'a sample from the pipeline of {part}',
                f'{error!r}',
                'check the order of its transforms, and what each needs',
            ) from error

    @cached_property
    def samples(self) -> dict[str, Any]:
        """First sample of each part after its pipeline; errors as of `sample`."""
        return {part: self.sample(part) for part in self.datasets}

    @cached_property
    def keyframes(self) -> list[Keyframe]:
        """Evenly spaced keyframes of every info file.

        Raises:
            NotCheckedError: the data sets have none, or cannot be read.
        """
        found, files = [], set()
        for dataset in self.datasets.values():
            if not hasattr(dataset, 'cameras') or dataset.ann_file in files:
                continue
            files.add(dataset.ann_file)
            for place in spaced(len(dataset), _KEYFRAMES):
                found.append(read_keyframe(dataset.get_data_info(place)))
        if not found:
            raise NotCheckedError('the config has no data set of keyframes')
        return found

    @cached_property
    def swept(self) -> list[Keyframe]:
        """Keyframes with a LiDAR sweep.

        Raises:
            NotCheckedError: there are none.
        """
        found = [keyframe for keyframe in self.keyframes if keyframe.points is not None]
        if not found:
            raise NotCheckedError('needs LiDAR, and no keyframe has a sweep')
        return found

    @cached_property
    def boxed(self) -> list[Keyframe]:
        """Keyframes with boxes.

        Raises:
            NotCheckedError: there are none.
        """
        found = [keyframe for keyframe in self.keyframes if len(keyframe.boxes)]
        if not found:
            raise NotCheckedError('needs boxes, and no keyframe has any')
        return found

    def box_fit(self, reading: Reading) -> float:
        """Fit of the boxes to LiDAR points under a convention (`box_points`); 0 without LiDAR."""
        if reading not in self._fits:
            swept = [keyframe for keyframe in self.boxed if keyframe.points is not None]
            self._fits[reading] = fit(swept, reading)
        return self._fits[reading]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels."""
        return tuple(next(iter(self.datasets.values())).metainfo['classes'])

    @cached_property
    def overlap(self) -> VehicleOverlap:
        """Agreement of LiDAR and images."""
        return VehicleOverlap(self.swept)


def spaced(length: int, count: int) -> list[int]:
    """At most `count` evenly spaced indices below `length`.

    Example:
        >>> spaced(9, 3), spaced(2, 3)
        ([0, 4, 8], [0, 1])
    """
    return sorted({int(place) for place in np.linspace(0, length - 1, min(count, length))})
