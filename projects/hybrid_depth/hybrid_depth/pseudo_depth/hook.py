"""Pseudo depth while a detector trains."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..checkpoints.unwrap import unwrapped
from ..depth.estimators.init import init_depth_model
from ..errors import ConfigError
from .model import PseudoDepth
from .view import OwnView


@HOOKS.register_module()
class OnlinePseudoDepthHook(Hook):
    """Gives the `PseudoDepthTarget`s of a detector a frozen depth model to ask.

    The model stays outside the detector: its weights are in no checkpoint of the detector, and no
    optimiser sees them. It sees the images as it knows them (`OwnView`), as far as the detector's
    augmentation leaves them. Every batch costs two passes of it, four with a `neighbour_tolerance`:
    a cache (hybrid-depth make-pseudo-depth) is cheaper from the second epoch on, and sees the
    images whole. The log tells the share of pixels with a depth as `pseudo_depth_known`.

    Args:
        config, checkpoint: of the depth model.
        image_size: (height, width) of the original images; nuScenes: (900, 1600).
        **kwargs: of `PseudoDepth`.
    """

    def __init__(self, config: str, checkpoint: str, image_size: tuple[int, int], **kwargs) -> None:
        self.config, self.checkpoint, self.kwargs = config, checkpoint, kwargs
        self.image_size = image_size
        self.view = None

    def before_train(self, runner: Runner) -> None:
        """Load the model."""
        model = unwrapped(runner.model)
        targets = [
            target
            for target in model.img_view_transformer.depth_net.depth_targets
            if hasattr(target, 'source')
        ]
        if not targets:
            raise ConfigError(
                'OnlinePseudoDepthHook: expected a depth net with a PseudoDepthTarget in its '
                'depth_supervision, got none'
            )
        source = PseudoDepth(init_depth_model(self.config, self.checkpoint), **self.kwargs)
        self.view = OwnView(source, self.image_size)
        for target in targets:
            target.source = self.view

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        """Log what the last batch knew."""
        if self.view.known is not None:
            runner.message_hub.update_scalar('train/pseudo_depth_known', self.view.known)
