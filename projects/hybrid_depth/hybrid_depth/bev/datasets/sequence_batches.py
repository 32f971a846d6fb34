"""Batch sampler of consecutive frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SequenceBatchSampler:
    """Batch sampler of ``batch_size`` parallel sequences, each in order of time.

    A finished sequence is replaced by the next; the last batches of an epoch are smaller. Sequences
    are those of the data set's ``sequences()``, divided among the processes. With shuffle their
    order changes every epoch. In training all processes stop after as many batches as the process
    with the fewest; the remaining samples are skipped in this epoch.

    Args:
        sampler: mmengine's ``DefaultSampler``, for its shuffle, seed, epoch, rank and world size.
        batch_size: number of parallel sequences.

    Raises:
        ValueError: the data set has no sequences, or fewer than there are processes.
    """

    def __init__(self, sampler: DefaultSampler, batch_size: int) -> None:
        if not hasattr(sampler.dataset, 'sequences'):
            raise ValueError(
                'SequenceBatchSampler: expected a data set with sequences, as NuScenesBEVDataset '
                f'with sequence_length is, got {type(sampler.dataset).__name__}'
            )
        self.sampler, self.batch_size = sampler, batch_size
        self.sequences = sampler.dataset.sequences()
        if len(self.sequences) < sampler.world_size:
            raise ValueError(
                f'SequenceBatchSampler: expected a sequence for each of {sampler.world_size} '
                f'processes, got {len(self.sequences)}; use fewer, or a shorter sequence_length'
            )
        self._drawn: tuple[int, list[list[int]]] | None = None

    def _batches(self) -> list[list[int]]:
        """Batches of this process and epoch; cached, as mmengine queries their number at every
        iteration."""
        epoch = self.sampler.epoch
        if self._drawn is None or self._drawn[0] != epoch:
            self._drawn = epoch, self._draw(epoch)
        return self._drawn[1]

    def _draw(self, epoch: int) -> list[list[int]]:
        sequences, processes = self.sequences, self.sampler.world_size
        order = list(range(len(sequences)))
        if self.sampler.shuffle:
            draw = torch.Generator().manual_seed(self.sampler.seed + epoch)
            order = torch.randperm(len(sequences), generator=draw).tolist()
        shares = [
            list(_parallel([sequences[i] for i in order[rank::processes]], self.batch_size))
            for rank in range(processes)
        ]
        batches = shares[self.sampler.rank]
        return batches if self.sampler.dataset.test_mode else batches[: min(map(len, shares))]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches())

    def __len__(self) -> int:
        return len(self._batches())


def _parallel(sequences: list[list[int]], width: int) -> Iterator[list[int]]:
    """Batches of the next samples of ``width`` sequences at a time."""
    pending, active = deque(map(deque, sequences)), []
    while pending or active:
        while pending and len(active) < width:
            active.append(pending.popleft())
        yield [sequence.popleft() for sequence in active]
        active = [sequence for sequence in active if sequence]
