from types import SimpleNamespace

import pytest
from torch import nn

from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.engine.hooks.checkpoint_fit import ChannelOrderHook, StrictLoadHook


def test_weights_of_another_model_are_rejected():
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    StrictLoadHook().after_load_checkpoint(runner, dict(state_dict=nn.Linear(2, 3).state_dict()))
    wrapped = {f'module.{key}': value for key, value in nn.Linear(2, 3).state_dict().items()}
    StrictLoadHook().after_load_checkpoint(runner, wrapped)
    with pytest.raises(CheckpointMismatchError, match='net.pth.*\n.*weight'):
        StrictLoadHook().after_load_checkpoint(
            runner, dict(state_dict=nn.Linear(2, 4).state_dict())
        )


@pytest.mark.parametrize('hook', [StrictLoadHook(), ChannelOrderHook()])
def test_weights_for_another_channel_order_are_rejected(hook):
    model = nn.Module()
    model.img_backbone = nn.Linear(2, 3)
    model.img_backbone.channel_order = 'rgb'
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(input_channel_order='bgr'))
    runner = SimpleNamespace(model=model, _load_from='net.pth')
    with pytest.raises(CheckpointMismatchError, match="channel_order 'bgr'.*got 'rgb'"):
        hook.after_load_checkpoint(runner, checkpoint)
    model.img_backbone.channel_order = 'bgr'
    hook.after_load_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, dict(checkpoint, meta={}))


def test_training_records_the_channel_order():
    """Trained weights, not only converted ones, are rejected for another order."""
    model = nn.Module()
    model.img_backbone = nn.Linear(2, 3)
    model.img_backbone.channel_order = 'bgr'
    checkpoint = dict(state_dict=model.state_dict(), meta={})
    runner = SimpleNamespace(model=model, _load_from='net.pth')
    ChannelOrderHook().before_save_checkpoint(runner, checkpoint)
    ChannelOrderHook().after_load_checkpoint(runner, checkpoint)
    model.img_backbone.channel_order = 'rgb'
    with pytest.raises(CheckpointMismatchError, match="channel_order 'bgr'.*got 'rgb'"):
        ChannelOrderHook().after_load_checkpoint(runner, checkpoint)
    depth = SimpleNamespace(model=nn.Linear(2, 3))
    checkpoint = dict(meta={})
    ChannelOrderHook().before_save_checkpoint(depth, checkpoint)
    assert checkpoint == dict(meta={})


def test_part_of_a_model_may_be_loaded_for_training():
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    part = dict(state_dict={})
    ChannelOrderHook().after_load_checkpoint(runner, part)
    with pytest.raises(CheckpointMismatchError):  # as in tools/test.py, which needs all weights
        StrictLoadHook().after_load_checkpoint(runner, part)
