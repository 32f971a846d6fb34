"""Train a temporal detector on single frames first."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class SequentialControlHook(Hook):
    """Turns the earlier frames of `BEVDet4D` or `FBBEV` on after some epochs (bev.md §1.10, §2.3).

    Args:
        start_epoch: epochs without them; published: 2.
    """

    def __init__(self, start_epoch: int = 2) -> None:
        self.start_epoch = start_epoch

    def before_train_epoch(self, runner: Runner) -> None:
        """By the epoch's number, so that resumed runs are right."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.with_history = runner.epoch >= self.start_epoch
