"""Validation before the first training step."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ValidateFirstHook(Hook):
    """Hook that validates the initial weights; logged as epoch (or iteration) 0.

    Skipped in resumed runs. Needs a config with validation.
    """

    # after ProgressBarHook, which shows this validation
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        if runner.iter == 0:
            runner.val_loop.run()
