import random

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from hybrid_depth.engine.hooks import seeding
from hybrid_depth.engine.hooks.seeding import EpochSeedHook, seed_worker
from tests.engine.tiny import tiny_config


class Draws(Dataset):
    """Data set of random numbers of the worker's three generators."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> list[float]:
        return [random.random(), float(np.random.rand()), float(torch.rand(()))]


class FakeRunner:
    def __init__(self, loader: DataLoader, seed: int = 0) -> None:
        self.train_dataloader, self.seed, self.epoch = loader, seed, 0


def epoch_draws(runner: FakeRunner, epoch: int) -> np.ndarray:
    runner.epoch = epoch
    EpochSeedHook().before_train_epoch(runner)
    return np.array([item for (item,) in runner.train_dataloader])


@pytest.mark.parametrize('workers', [0, 2])
def test_random_numbers_depend_on_seed_and_epoch(workers):
    def collate(batch):
        return batch

    runner = FakeRunner(DataLoader(Draws(), num_workers=workers, collate_fn=collate))
    EpochSeedHook().before_train(runner)
    first, second = epoch_draws(runner, 0), epoch_draws(runner, 1)
    torch.rand(17), random.random(), np.random.rand(5)  # random numbers of the killed run
    np.testing.assert_array_equal(epoch_draws(runner, 1), second)
    assert (first != second).all(), 'an epoch repeats the augmentation of the one before'
    assert len(np.unique(first)) == first.size, 'workers or generators draw the same numbers'
    runner.seed = 1
    assert (epoch_draws(runner, 1) != second).all()


def test_processes_draw_different_numbers(monkeypatch):
    draws = []
    for rank in (0, 1, 0):
        monkeypatch.setattr(seeding, 'get_rank', lambda rank=rank: rank)
        EpochSeedHook().before_train_epoch(FakeRunner(None))
        draws.append((random.random(), np.random.rand(), torch.rand(()).item()))
    assert draws[0] == draws[2] and not set(draws[0]) & set(draws[1])


def test_runner_uses_seed_worker(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.train_cfg.max_epochs = 1
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.train_dataloader.worker_init_fn is seed_worker


def test_configured_worker_init_fn_is_kept():
    loader = DataLoader(Draws(), worker_init_fn=print)
    EpochSeedHook().before_train(FakeRunner(loader))
    assert loader.worker_init_fn is print


def test_persistent_workers_are_rejected():
    loader = DataLoader(Draws(), num_workers=1, persistent_workers=True)
    with pytest.raises(ValueError, match='persistent_workers'):
        EpochSeedHook().before_train(FakeRunner(loader))
