from types import SimpleNamespace
from unittest.mock import Mock

from hybrid_depth.engine.hooks.validate_first import ValidateFirstHook


def test_validation_only_before_a_new_training():
    for iteration, calls in ((0, 1), (5, 0)):
        runner = SimpleNamespace(iter=iteration, val_loop=Mock())
        ValidateFirstHook().before_train(runner)
        assert runner.val_loop.run.call_count == calls
