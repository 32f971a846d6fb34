"""A data set that is read once."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.registry import DATASETS


@DATASETS.register_module()
class CachedDataset:
    """Keeps every finished sample of another data set in memory after its first reading.

    For small sets and pipelines without anything random, which would otherwise be drawn once and
    for all. Take `num_workers=0`: each worker would keep samples of its own, and lose them.

    Args:
        dataset: config of the data set.
    """

    def __init__(self, dataset: dict) -> None:
        self.dataset = DATASETS.build(dataset)
        self._samples: dict[int, Any] = {}

    @property
    def metainfo(self) -> dict:
        """Of the data set."""
        return self.dataset.metainfo

    @property
    def test_mode(self) -> bool:
        """Of the data set."""
        return self.dataset.test_mode

    def sequences(self) -> list[list[int]]:
        """Of the data set."""
        return self.dataset.sequences()

    def full_init(self) -> None:
        """mmengine's: read the annotations."""
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        if index not in self._samples:
            self._samples[index] = self.dataset[index]
        return copy.deepcopy(self._samples[index])  # models may change what they are given
