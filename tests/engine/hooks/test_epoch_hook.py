"""Hooks that prepare the model for an epoch."""

from types import SimpleNamespace

from torch import nn

from hybrid_depth.engine.hooks.epoch_hook import EpochHook


def test_the_model_itself_is_prepared_for_the_epoch():
    prepared = []

    class Hook(EpochHook):
        def prepare(self, model, epoch):
            prepared.append((model, epoch))

    model = nn.Linear(2, 3)
    for runner_model in (model, nn.DataParallel(model)):
        Hook().before_train_epoch(SimpleNamespace(model=runner_model, epoch=5))
    assert prepared == [(model, 5)] * 2
