"""Train a detector's depth before its detection."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class DepthFirstHook(Hook):
    """First the image side by its own labels, then the BEV side on what it gives.

    For `epochs` epochs the detector learns depth (and classes of image cells) only, and nothing is
    lifted. Then the image side is frozen, and the BEV side learns from a lift that holds still.
    Meant for short trainings from random initialisation, where it is worth more than learning both
    at once. With several processes set `find_unused_parameters=True`.

    Args:
        epochs: epochs for depth, the first of the run.
        keep_lifts: see `BEVDet.freeze_depth`.
    """

    def __init__(self, epochs: int, keep_lifts: bool = False) -> None:
        if epochs < 1:
            raise ValueError(f'DepthFirstHook: expected one epoch or more for depth, got {epochs}')
        self.epochs, self.keep_lifts = epochs, keep_lifts

    def before_train_epoch(self, runner: Runner) -> None:
        """Resumed runs come to the right half by their epoch number."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if runner.epoch < self.epochs:
            model.learn_depth_only()
        else:
            model.freeze_depth(self.keep_lifts)
