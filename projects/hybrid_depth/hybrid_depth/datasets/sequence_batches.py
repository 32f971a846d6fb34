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
    from the data set's ``sequences()``; in training each epoch has another order of them, and every
    process gets its share.

    Args:
        sampler: mmengine's ``DefaultSampler``, for its order, seed, epoch and processes.
        batch_size: sequences at a time.

    Raises:
        ValueError: the data set has no sequences, or several processes are to score a model (their
            shares would differ in length).
    """

    def __init__(self, sampler: DefaultSampler, batch_size: int) -> None:
        if not hasattr(sampler.dataset, 'sequences'):
            raise ValueError(
                'SequenceBatchSampler: expected a data set with sequences, as NuScenesBEVDataset '
                f'with sequence_length is, got {type(sampler.dataset).__name__}'
            )
        if sampler.world_size > 1 and not sampler.shuffle:
            raise ValueError(
                'SequenceBatchSampler: expected one process without shuffle, got '
                f'{sampler.world_size}; score this model with one'
            )
        self.sampler, self.batch_size = sampler, batch_size

    def _batches(self, epoch: int) -> list[list[int]]:
        """Batches of this process."""
        sequences = self.sampler.dataset.sequences()
        if self.sampler.shuffle:
            draw = torch.Generator().manual_seed(self.sampler.seed + epoch)
            order = torch.randperm(len(sequences), generator=draw).tolist()
            sequences = [sequences[place] for place in order]
        shares = [
            list(_side_by_side(sequences[rank :: self.sampler.world_size], self.batch_size))
            for rank in range(self.sampler.world_size)
        ]
        steps = min(map(len, shares))  # processes take the same number of steps
        return shares[self.sampler.rank][:steps]

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches(self.sampler.epoch))

    def __len__(self) -> int:
        return len(self._batches(self.sampler.epoch))


def _side_by_side(sequences: list[list[int]], width: int) -> Iterator[list[int]]:
    """The next sample of each of ``width`` sequences, until all are through."""
    waiting, walking = deque(map(deque, sequences)), []
    while waiting or walking:
        while waiting and len(walking) < width:
            walking.append(waiting.popleft())
        yield [sequence.popleft() for sequence in walking]
        walking = [sequence for sequence in walking if sequence]
