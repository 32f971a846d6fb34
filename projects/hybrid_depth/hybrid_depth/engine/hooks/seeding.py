"""Random draws that depend on (seed, epoch, rank) alone, so that a resumed run repeats them."""

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
    """Seed Python's, numpy's and torch's (CPU and CUDA) global generators.

    Args:
        seed: non-negative integer below 2**32.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seed a data-loading worker from torch's own per-worker seed.

    That seed is drawn from the main process's generator when the epoch's iterator is made, so that
    it is new in each epoch and follows `EpochSeedHook`. mmengine's default seeds from the
    configured seed alone: every epoch would repeat the same augmentations.
    """
    seed_everything(torch.initial_seed() % 2**32)


def _uses_default_seeding(loader: DataLoader) -> bool:
    """Whether the loader's worker_init_fn is absent or mmengine's default."""
    init = loader.worker_init_fn
    return init is None or (isinstance(init, partial) and init.func is mmengine_worker_init)


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Reseed at the start of every epoch from (seed, epoch, rank).

    A run that was killed and resumed at an epoch's end then draws exactly what the unbroken run
    drew. The training loader's workers are made to follow (`seed_worker`), unless the config gives
    a `worker_init_fn` of its own.

    Raises:
        ValueError: the training loader has persistent workers, whose random state would outlive
            the epoch and be lost by a resume.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        loader = runner.train_dataloader
        if getattr(loader, 'persistent_workers', False):
            raise ValueError(
                'EpochSeedHook expected train_dataloader.persistent_workers=False, got True: '
                'workers that live on keep random states which a resumed run cannot restore. '
                'Set it to False.'
            )
        if isinstance(loader, DataLoader) and _uses_default_seeding(loader):
            loader.worker_init_fn = seed_worker

    def before_train_epoch(self, runner: Runner) -> None:
        sequence = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        seed_everything(int(sequence.generate_state(1)[0]))
