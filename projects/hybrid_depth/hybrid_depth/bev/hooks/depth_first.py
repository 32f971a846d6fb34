"""Training schedule: depth first, then detection."""

from mmengine.model import BaseModel
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.unwrap import unwrapped
from ...depth.encoders.freezing import eval_frozen
from ...engine.hooks.epoch_hook import EpochHook
from ..lift.lift_cache import LiftCache

#: Parts of a detector that estimate depth and lift.
IMAGE_SIDE = ('img_backbone', 'img_neck', 'img_view_transformer')


@HOOKS.register_module()
class DepthFirstHook(EpochHook):
    """Trains image tower and depth net by their own labels first, then detection on a frozen lift.

    For `epochs` epochs `BEVDet` has only the losses of its depth net, and nothing is lifted. Then
    image tower and depth net are frozen, and the losses are those of detection. Meant for short
    trainings from random initialisation, where it is better than training both at once. With
    several processes set `find_unused_parameters=True`.

    Args:
        epochs: epochs for depth, the first of the run.
        keep_lifts: lift every frame only once and keep the result in memory (see `LiftCache`).

    Raises:
        ValueError: no epoch for depth.
    """

    def __init__(self, epochs: int, keep_lifts: bool = False) -> None:
        if epochs < 1:
            raise ValueError(f'DepthFirstHook: expected epochs of at least 1, got {epochs}')
        self.epochs, self.keep_lifts = epochs, keep_lifts
        self._cache: LiftCache | None = None

    def prepare(self, model: BaseModel, epoch: int) -> None:
        """Set loss weights, freeze, and wrap the lift.

        Raises:
            ValueError: the depth net has no supervision.
        """
        if epoch < self.epochs:
            if not model.img_view_transformer.depth_net.depth_targets:
                raise ValueError(
                    'DepthFirstHook: expected a depth net with depth_supervision, got one without; '
                    'set depth_supervision, or leave the hook out'
                )
            model.loss_weights.update(depth=1.0, detection=0.0)
            return
        model.loss_weights.update(depth=0.0, detection=1.0)
        for name in IMAGE_SIDE:
            getattr(model, name).requires_grad_(False)
        if self.keep_lifts:
            if self._cache is None:
                self._cache = LiftCache(model.lift)
            model.lift = self._cache  # hides the method until the epoch ends

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Frozen parts in eval mode: mmengine's loop sets the training mode after the hooks of the
        epoch."""
        if runner.epoch >= self.epochs:
            eval_frozen(unwrapped(runner.model))

    def after_train_epoch(self, runner: Runner) -> None:
        """Validation lifts for itself."""
        vars(unwrapped(runner.model)).pop('lift', None)
