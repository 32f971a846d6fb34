"""Pseudo depth while a detector trains."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..engine.config import ConfigError
from .depth import init_depth_model
from .pseudo_depth import PseudoDepth


@HOOKS.register_module()
class OnlinePseudoDepthHook(Hook):
    """Gives the `PseudoDepthTarget`s of a detector a frozen depth model to ask.

    The model stays outside the detector: its weights are in no checkpoint of the detector, and no
    optimiser sees them. Every batch costs two passes of it: a cache (tools/make_pseudo_depth.py) is
    cheaper from the second epoch on, but knows no image augmentation that the model would see.

    Args:
        config, checkpoint: of the depth model.
        **kwargs: of `PseudoDepth`.
    """

    def __init__(self, config: str, checkpoint: str, **kwargs) -> None:
        self.config, self.checkpoint, self.kwargs = config, checkpoint, kwargs

    def before_train(self, runner: Runner) -> None:
        """Load the model."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
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
        for target in targets:
            target.source = source
