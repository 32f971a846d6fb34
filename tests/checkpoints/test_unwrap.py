from torch import nn

from hybrid_depth.checkpoints.unwrap import unwrapped


def test_only_wrappers_for_distributed_training_are_taken_off():
    model = nn.Module()
    model.module = nn.Linear(1, 1)  # a part of that name is no wrapper
    assert unwrapped(model) is model
    assert unwrapped(nn.DataParallel(model)) is model
