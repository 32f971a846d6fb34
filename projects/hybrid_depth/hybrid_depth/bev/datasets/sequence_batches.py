"""Batches whose samples each go on where the batch before stopped."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SequenceBatchSampler:
    """Walks ``batch_size`` sequences side by side, each in order of time.

    When one ends the next takes its place; the last batches of an epoch are smaller. Sequences come
    from the data set's ``sequences()``, and every process gets its share of them. With shuffle each
    epoch has another order. In training all processes stop where the shortest share ends: what is
    left of the others waits for another epoch.

    Args:
        sampler: mmengine's ``DefaultSampler``, for its order, seed, epoch and processes.
        batch_size: sequences at a time.

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
                f'processes, got {len(self.sequences)}; take fewer, or a shorter sequence_length'
            )
        self._drawn: tuple[int, list[list[int]]] | None = None

    def _batches(self) -> list[list[int]]:
        """Batches of this process and epoch; drawn once, as mmengine asks for their number at
        every iteration."""
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
            list(_side_by_side([sequences[i] for i in order[rank::processes]], self.batch_size))
            for rank in range(processes)
        ]
        own = shares[self.sampler.rank]
        return own if self.sampler.dataset.test_mode else own[: min(map(len, shares))]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches())

    def __len__(self) -> int:
        return len(self._batches())


def _side_by_side(sequences: list[list[int]], width: int) -> Iterator[list[int]]:
    """The next sample of each of ``width`` sequences, until all are through."""
    waiting, walking = deque(map(deque, sequences)), []
    while waiting or walking:
        while waiting and len(walking) < width:
            walking.append(waiting.popleft())
        yield [sequence.popleft() for sequence in walking]
        walking = [sequence for sequence in walking if sequence]
