"""Resumable training of a tower: equal with and without interruptions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.digests import differences
from hybrid_depth.errors import OutputInUseError
from hybrid_depth.files import atomic_file

_SAVED_EVERY = 120.0  # seconds


@dataclass(frozen=True)
class Schedule:
    """Length and rate of a training with AdamW: linear warm-up over a twentieth of it, then half a
    cosine to zero.

    Attributes:
        steps: optimiser steps.
        batch: images per step.
        rate: highest learning rate.
        decay: weight decay of the matrices.
        seed: of weights and batches.
    """

    steps: int
    batch: int
    rate: float = 1e-3
    decay: float = 0.05
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        warm = max(1, self.steps // 20)
        return self.rate * min((step + 1) / warm, (1 + math.cos(math.pi * step / self.steps)) / 2)


@dataclass(frozen=True)
class Trained:
    """What a finished training reports.

    Attributes:
        minutes: of all steps.
        loss: mean of the last twentieth of the steps.
    """

    minutes: float
    loss: float


def train(
    modules: nn.Module,
    loss_of: Callable[[int], Tensor],
    schedule: Schedule,
    recipe: dict,
    progress: Path,
    after_step: Callable[[int], None] = lambda step: None,
) -> Trained:
    """Train `modules`; continue from `progress`, which is written every two minutes.

    Args:
        modules: everything with a state that training changes.
        loss_of: loss of a step. Its random choices depend on the number of the step alone, so that
            a continued training equals an uninterrupted one.
        schedule: length and rate.
        recipe: what else the result depends on; plain values.
        progress: checkpoint of the training, kept at the end.
        after_step: called after each optimiser step.

    Raises:
        OutputInUseError: `progress` is of another recipe.
        FloatingPointError: the loss is not finite.
    """
    recipe = {**asdict(schedule), **recipe}
    optimizer = _optimizer(modules, schedule.decay)
    first, seconds, losses = 0, 0.0, []
    if progress.is_file():
        state = load_checkpoint_file(progress)
        if changed := differences(state['recipe'], recipe):
            raise OutputInUseError(
                f'{progress}: expected a training of the same recipe, got another '
                f'{", ".join(changed)}; remove the file, or use another folder'
            )
        modules.load_state_dict(state['modules'])
        optimizer.load_state_dict(state['optimizer'])
        first, seconds, losses = state['step'], state['seconds'], state['losses']
    modules.train()
    started = saved = time.monotonic()

    def save(step: int) -> None:
        content = dict(
            modules=modules.state_dict(),
            optimizer=optimizer.state_dict(),
            recipe=recipe,
            step=step,
            seconds=seconds + time.monotonic() - started,
            losses=losses,
        )
        with atomic_file(progress) as file:
            torch.save(content, file)

    for step in tqdm(range(first, schedule.steps), desc=progress.stem, mininterval=10):
        rate = schedule.rate_at(step)
        for group in optimizer.param_groups:
            group['lr'] = rate
        loss = loss_of(step)
        if not torch.isfinite(loss):
            raise FloatingPointError(f'{progress.stem}: loss {loss.item()} in step {step}')
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(modules.parameters(), 3.0)
        optimizer.step()
        after_step(step)
        losses.append(round(loss.item(), 5))
        if time.monotonic() - saved > _SAVED_EVERY:
            save(step + 1)
            saved = time.monotonic()
    save(schedule.steps)
    total = seconds + time.monotonic() - started
    tail = losses[-max(1, schedule.steps // 20) :]
    return Trained(minutes=total / 60, loss=sum(tail) / len(tail))


def _optimizer(modules: nn.Module, decay: float) -> torch.optim.Optimizer:
    """AdamW that decays matrices, not biases, gains and norms."""
    trained = [p for p in modules.parameters() if p.requires_grad]
    groups = [
        dict(params=[p for p in trained if p.ndim > 1], weight_decay=decay),
        dict(params=[p for p in trained if p.ndim < 2], weight_decay=0.0),
    ]
    return torch.optim.AdamW(groups, lr=0.0)
