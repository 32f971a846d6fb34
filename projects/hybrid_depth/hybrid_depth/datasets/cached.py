"""In-memory cache of a data set's samples."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.registry import DATASETS


@DATASETS.register_module()
class CachedDataset:
    """Wrapper that keeps every processed sample of a data set in memory after its first use.

    For small data sets and deterministic pipelines: a random augmentation would be drawn only once.
    Use `num_workers=0`, as each worker process would hold a separate cache.

    Args:
        dataset: config of the data set.
    """

    def __init__(self, dataset: dict) -> None:
        self.dataset = DATASETS.build(dataset)
        self._samples: dict[int, Any] = {}

    @property
    def metainfo(self) -> dict:
        """`metainfo` of the wrapped data set."""
        return self.dataset.metainfo

    @property
    def test_mode(self) -> bool:
        """`test_mode` of the wrapped data set."""
        return self.dataset.test_mode

    def sequences(self) -> list[list[int]]:
        """`sequences` of the wrapped data set."""
        return self.dataset.sequences()

    def full_init(self) -> None:
        """Read the annotations (mmengine's interface)."""
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        if index not in self._samples:
            self._samples[index] = self.dataset[index]
        return copy.deepcopy(self._samples[index])  # models may change their inputs
