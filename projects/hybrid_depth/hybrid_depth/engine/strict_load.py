"""Checkpoints that have to fit the model."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..checkpoints.strict_load import load_strictly


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Refuse a checkpoint of another model, which mmengine loads as far as names agree.

    `tools/test.py` adds it: the scores of half a model look like those of a bad one.

    Raises:
        CheckpointMismatchError: see `load_strictly`.
    """

    # after EMAHook, which may put other weights in
    priority = 'LOWEST'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {key.removeprefix('module.'): value for key, value in weights.items()}
        order = checkpoint.get('meta', {}).get('input_channel_order')
        load_strictly(model, weights, runner._load_from, order)
