"""The teacher stops at the same place in broken and unbroken runs."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from hybrid_depth.depth.encoders.freezing import is_frozen
from hybrid_depth.depth.hooks import FreezeTeacherHook
from tests.depth.estimators.test_manydepth import TINY, build, make_inputs
from tests.depth.estimators.tiny import CONV


def runner_of(model, wrapper=None, epoch=0, iteration=0):
    wrapper = wrapper or OptimWrapper(torch.optim.Adam(model.parameters(), lr=1e-3))
    return SimpleNamespace(model=model, optim_wrapper=wrapper, epoch=epoch, iter=iteration)


def train_step(runner):
    runner.model.train_step(dict(inputs=make_inputs()), runner.optim_wrapper)


def state_of(runner):
    return {k: v.clone() for k, v in runner.model.teacher.state_dict().items()}


@pytest.mark.parametrize('hook', [dict(epoch=2), dict(step=6)])
def test_freezes_once_and_forgets_the_moments(hook):
    hook, runner = FreezeTeacherHook(**hook), runner_of(build())
    hook.before_train_iter(runner, 0)
    train_step(runner)
    runner.epoch, runner.iter = 1, 5
    hook.before_train_iter(runner, 0)
    assert not is_frozen(runner.model.teacher) and runner.optim_wrapper.optimizer.state
    runner.epoch, runner.iter = 2, 6
    hook.before_train_iter(runner, 0)
    assert is_frozen(runner.model.teacher) and not runner.optim_wrapper.optimizer.state
    before, near = state_of(runner), runner.model.matching.depth_range.clone()
    runner.model.train()
    train_step(runner)
    hook.before_train_iter(runner, 1)
    assert all(torch.equal(before[k], v) for k, v in runner.model.teacher.state_dict().items())
    assert torch.equal(runner.model.matching.depth_range, near)
    trained = {id(p) for p in runner.optim_wrapper.optimizer.state}
    assert trained == {
        id(p)
        for part in ('encoder', 'decoder', 'matching')
        for p in getattr(runner.model, part).parameters()
    }


def test_a_run_resumed_after_the_freeze_keeps_its_moments():
    """A checkpoint has the moments of the student alone, and loads into an optimiser of all."""
    hook, runner = FreezeTeacherHook(epoch=1), runner_of(build(), epoch=1)
    hook.before_train_iter(runner, 0)
    train_step(runner)
    saved = runner.optim_wrapper.state_dict()
    model = build()
    model.load_state_dict(runner.model.state_dict())
    resumed = runner_of(model, epoch=2)
    resumed.optim_wrapper.load_state_dict(saved)
    FreezeTeacherHook(epoch=1).before_train_iter(resumed, 0)
    assert is_frozen(model.teacher) and not model.teacher.training
    assert len(resumed.optim_wrapper.optimizer.state) == len(saved['state']) > 0


def test_a_run_resumed_at_the_freeze_forgets_those_of_the_teacher():
    runner = runner_of(build())
    train_step(runner)
    resumed = runner_of(build(), epoch=1)
    resumed.optim_wrapper.load_state_dict(runner.optim_wrapper.state_dict())
    FreezeTeacherHook(epoch=1).before_train_iter(resumed, 0)
    assert not resumed.optim_wrapper.optimizer.state


def test_several_optimisers():
    model = build()
    parts = dict(student=model.encoder, teacher=model.teacher)
    wrapper = OptimWrapperDict(
        **{k: OptimWrapper(torch.optim.SGD(p.parameters(), lr=0.1)) for k, p in parts.items()}
    )
    FreezeTeacherHook(step=0).before_train_iter(runner_of(model, wrapper), 0)
    assert is_frozen(model.teacher)


def test_bad_arguments():
    for options in (dict(), dict(epoch=1, step=1)):
        with pytest.raises(ValueError, match='expected epoch or step'):
            FreezeTeacherHook(**options)
    with pytest.raises(ValueError, match='expected ManyDepth, got Monodepth2'):
        FreezeTeacherHook(epoch=0).before_train_iter(runner_of(build(CONV)), 0)
    assert TINY['type'] == 'ManyDepth'
