"""Hooks that prepare the model for an epoch by its number."""

from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...checkpoints.unwrap import unwrapped


class EpochHook(Hook):
    """Base of hooks that change the training of a model from epoch to epoch.

    They depend on the number of the epoch alone, so that resumed runs are right; the loop has to
    count epochs.
    """

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Called before every training epoch, the first of which is 0."""
        raise NotImplementedError

    def before_train(self, runner: Runner) -> None:
        """Raises:
        ValueError: the loop counts iterations, and would stay in epoch 0.
        """
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                f'{type(self).__name__} expected training by epochs, got '
                f'{type(runner.train_loop).__name__}; set train_cfg=dict(by_epoch=True, '
                'max_epochs=...) or leave the hook out'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        self.prepare(unwrapped(runner.model), runner.epoch)
