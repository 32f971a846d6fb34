from types import SimpleNamespace

import pytest
from torch import nn

from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.engine import StrictLoadHook


def test_weights_of_another_model_are_refused():
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    StrictLoadHook().after_load_checkpoint(runner, dict(state_dict=nn.Linear(2, 3).state_dict()))
    wrapped = {f'module.{key}': value for key, value in nn.Linear(2, 3).state_dict().items()}
    StrictLoadHook().after_load_checkpoint(runner, wrapped)
    with pytest.raises(CheckpointMismatchError, match='net.pth.*\n.*weight'):
        StrictLoadHook().after_load_checkpoint(
            runner, dict(state_dict=nn.Linear(2, 4).state_dict())
        )
