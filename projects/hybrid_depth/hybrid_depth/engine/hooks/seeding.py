"""Seeding by (seed, epoch, rank), which makes resumed runs reproducible."""

import random
from functools import partial

import numpy as np
import torch
from mmengine.dataset.utils import worker_init_fn as mmengine_worker_init
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS, HOOKS
from mmengine.runner import Runner
from torch.utils.data import DataLoader


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch (CPU and CUDA).

    Args:
        seed: non-negative integer below 2**32.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seed a data-loading worker from torch's per-worker seed.

    The main process draws it when it creates the epoch's iterator, so it changes every epoch and
    follows `EpochSeedHook`. mmengine's default depends on the configured seed only: every epoch
    would repeat the same augmentations.
    """
    seed_everything(torch.initial_seed() % 2**32)


def _uses_default_seeding(loader: DataLoader) -> bool:
    """Whether the loader's worker_init_fn is absent or mmengine's default."""
    init = loader.worker_init_fn
    return init is None or (isinstance(init, partial) and init.func is mmengine_worker_init)


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Hook that seeds every epoch from (seed, epoch, rank).

    A run resumed at the end of an epoch then has the random numbers of an uninterrupted one. The
    training loader's workers are seeded by `seed_worker`, unless the config sets `worker_init_fn`.

    Raises:
        ValueError: the training loader has persistent workers, whose random state outlives the
            epoch and is lost on resume.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        loader = runner.train_dataloader
        if getattr(loader, 'persistent_workers', False):
            raise ValueError(
                'EpochSeedHook expected train_dataloader.persistent_workers=False, got True: '
                'persistent workers have random states that a resumed run cannot restore. '
                'Set it to False.'
            )
        if isinstance(loader, DataLoader) and _uses_default_seeding(loader):
            loader.worker_init_fn = seed_worker

    def before_train_epoch(self, runner: Runner) -> None:
        sequence = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        seed_everything(int(sequence.generate_state(1)[0]))
