"""Checkpoints that have to fit the model."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.strict_load import load_strictly, require_channel_order
from ...checkpoints.unwrap import unwrapped


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Refuse a checkpoint of another model, which mmengine loads as far as names agree.

    `hybrid-depth test` adds it: the scores of half a model look like those of a bad one.

    Raises:
        CheckpointMismatchError: see `load_strictly`.
    """

    # after EMAHook, which may put other weights in
    priority = 'LOWEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {key.removeprefix('module.'): value for key, value in weights.items()}
        model, order = unwrapped(runner.model), _channel_order(checkpoint)
        load_strictly(model, weights, runner._load_from, order)


@HOOKS.register_module()
class ChannelOrderHook(Hook):
    """Refuse to go on from weights that were trained on images of another channel order, and say
    in every checkpoint which one it was.

    `hybrid-depth train` adds it: `load_from` may hold part of a model, but such a part sees wrong
    colours without a word.

    Raises:
        CheckpointMismatchError: see `require_channel_order`.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model, order = unwrapped(runner.model), _channel_order(checkpoint)
        require_channel_order(model, order, runner._load_from)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        backbone = getattr(unwrapped(runner.model), 'img_backbone', None)
        order = getattr(backbone, 'channel_order', None)
        if order is not None:
            checkpoint['meta']['input_channel_order'] = order


def _channel_order(checkpoint: dict) -> str | None:
    return checkpoint.get('meta', {}).get('input_channel_order')
