"""Ending the training of a teacher before that of its student."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..encoders.freezing import is_frozen
from ..estimators.manydepth import ManyDepth


@HOOKS.register_module()
class FreezeTeacherHook(Hook):
    """Freeze the teacher and pose net of `ManyDepth` for the rest of the training.

    As published (docs/reference/manydepth.md, "Freezing"), the optimiser forgets its moments of
    all parameters when that happens. A resumed run does what an unbroken one does: whether the
    moments are those of a training with the teacher is seen from the moments.

    Args:
        epoch: number of the first epoch without teacher, counted from 0; 15 as published for KITTI,
            5 for Cityscapes.
        step: instead, the number of iterations after which the teacher is frozen.

    Raises:
        ValueError: both or neither given; the model has no teacher.
    """

    def __init__(self, epoch: int | None = None, step: int | None = None) -> None:
        if (epoch is None) == (step is None):
            raise ValueError(
                f'FreezeTeacherHook: expected epoch or step, got epoch={epoch} and step={step}'
            )
        self.epoch, self.step = epoch, step

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None):
        """Freeze before the first iteration without teacher, also of a resumed run."""
        begun = runner.iter >= self.step if self.epoch is None else runner.epoch >= self.epoch
        if not begun:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, ManyDepth):
            raise ValueError(f'FreezeTeacherHook: expected ManyDepth, got {type(model).__name__}')
        if is_frozen(model.teacher):
            return
        frozen = set(model.teacher.parameters())
        model.freeze_teacher()
        print_log(f'the teacher is frozen from iteration {runner.iter + 1} on', logger='current')
        for wrapper in _wrappers(runner.optim_wrapper):
            if frozen & set(wrapper.optimizer.state):
                wrapper.optimizer.state.clear()
            wrapper.optimizer.zero_grad()


def _wrappers(wrapper: OptimWrapper | OptimWrapperDict) -> list[OptimWrapper]:
    return list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]
