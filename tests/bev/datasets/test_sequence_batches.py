"""Batches of sequences."""

import pytest
from mmengine.dataset import DefaultSampler

from hybrid_depth.bev.datasets.sequence_batches import SequenceBatchSampler


class Sequences:
    """Data set with sequences only."""

    def __init__(self, *lengths: int, test_mode: bool = False) -> None:
        self.test_mode = test_mode
        starts = [sum(lengths[:i]) for i in range(len(lengths))]
        self._sequences = [list(range(s, s + n)) for s, n in zip(starts, lengths, strict=True)]

    def __len__(self) -> int:
        return sum(map(len, self._sequences))

    def sequences(self) -> list[list[int]]:
        return self._sequences


def batches(dataset: Sequences, size: int, **state) -> list[list[int]]:
    sampler = DefaultSampler(dataset, shuffle=state.pop('shuffle', False), seed=0)
    for name, value in state.items():
        setattr(sampler, name, value)
    made = SequenceBatchSampler(sampler, size)
    assert len(made) == len(list(made))
    return list(made)


def test_parallel_sequences():
    assert batches(Sequences(3, 2, 4), 2) == [[0, 3], [1, 4], [2, 5], [6], [7], [8]]
    assert batches(Sequences(3, 2), 1) == [[0], [1], [2], [3], [4]]


@pytest.mark.parametrize('shuffle', [False, True])
def test_every_sample_once_and_after_its_predecessor(shuffle):
    dataset = Sequences(3, 1, 5, 2, 4, 4)
    made = batches(dataset, 3, shuffle=shuffle)
    assert sorted(sum(made, [])) == list(range(19))
    for sequence in dataset.sequences():
        steps = [next(i for i, batch in enumerate(made) if index in batch) for index in sequence]
        assert steps == list(range(steps[0], steps[0] + len(sequence)))


def test_epochs_differ_and_are_reproducible():
    dataset = Sequences(*[2] * 10)
    first, second = (batches(dataset, 2, shuffle=True, epoch=epoch) for epoch in (0, 1))
    assert first != second and first == batches(dataset, 2, shuffle=True, epoch=0)
    sampler = DefaultSampler(dataset, seed=0)
    made = SequenceBatchSampler(sampler, 2)
    assert list(made) == first
    sampler.set_epoch(1)
    assert list(made) == second


@pytest.mark.parametrize('shuffle', [False, True])
def test_processes_divide_the_sequences_and_have_equal_steps(shuffle):
    dataset = Sequences(3, 3, 3, 2)
    shares = [batches(dataset, 1, shuffle=shuffle, rank=rank, world_size=2) for rank in (0, 1)]
    assert len(shares[0]) == len(shares[1])
    assert not set(sum(shares[0], [])) & set(sum(shares[1], []))
    assert batches(Sequences(2, 2), 1, rank=1, world_size=2) == [[2], [3]]  # one for each


def test_processes_test_every_sample():
    dataset = Sequences(3, 1, 4, test_mode=True)
    shares = [batches(dataset, 2, rank=rank, world_size=2) for rank in (0, 1)]
    assert sorted(sum(shares[0] + shares[1], [])) == list(range(8))


def test_bad_settings():
    with pytest.raises(ValueError, match='data set with sequences'):
        SequenceBatchSampler(DefaultSampler([1, 2], shuffle=False), 1)
    sampler = DefaultSampler(Sequences(2), shuffle=False)
    sampler.world_size = 2
    with pytest.raises(ValueError, match='a sequence for each of 2 processes, got 1'):
        SequenceBatchSampler(sampler, 1)
