"""Base class of hooks for epoch-dependent training."""

from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...checkpoints.unwrap import unwrapped


class EpochHook(Hook):
    """Base class of hooks that change the model's training from epoch to epoch.

    They depend on the epoch number only, so that resumed runs are equal; the loop must count
    epochs.
    """

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Prepare the model for a training epoch; the first is 0."""
        raise NotImplementedError

    def before_train(self, runner: Runner) -> None:
        """Raises:
        ValueError: the loop counts iterations, so the epoch would always be 0.
        """
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                f'{type(self).__name__} expected training by epochs, got '
                f'{type(runner.train_loop).__name__}; set train_cfg=dict(by_epoch=True, '
                'max_epochs=...) or remove the hook'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        self.prepare(unwrapped(runner.model), runner.epoch)
