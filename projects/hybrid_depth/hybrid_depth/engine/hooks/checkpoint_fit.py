"""Hooks that check whether a checkpoint matches the model."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ...checkpoints.strict_load import load_strictly, require_channel_order


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Hook that rejects checkpoints of other models; mmengine loads the matching names only.

    `hybrid-depth test` adds it: a partially loaded model only shows as bad scores.

    Raises:
        CheckpointMismatchError: see `load_strictly`.
    """

    # after EMAHook, which may replace the weights
    priority = 'LOWEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {key.removeprefix('module.'): value for key, value in weights.items()}
        load_strictly(_model(runner), weights, runner._load_from, _channel_order(checkpoint))


@HOOKS.register_module()
class ChannelOrderHook(Hook):
    """Hook that rejects weights trained with another channel order of the images, and records the
    channel order in checkpoints.

    `hybrid-depth train` adds it: `load_from` may have the weights of a part of a model, which would
    get swapped colours without an error.

    Raises:
        CheckpointMismatchError: see `require_channel_order`.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        require_channel_order(_model(runner), _channel_order(checkpoint), runner._load_from)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        order = getattr(getattr(_model(runner), 'img_backbone', None), 'channel_order', None)
        if order is not None:
            checkpoint['meta']['input_channel_order'] = order


def _model(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _channel_order(checkpoint: dict) -> str | None:
    return checkpoint.get('meta', {}).get('input_channel_order')
