"""A validation before the first step of training."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ValidateFirstHook(Hook):
    """Score the weights that training starts from; logged as epoch (or iteration) 0.

    A run that is resumed has done so already. Needs a config with a validation.
    """

    # after the progress bars are there, which this validation is to show
    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        if runner.iter == 0:
            runner.val_loop.run()
