"""Hooks that check whether a checkpoint matches the model."""

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...checkpoints.strict_load import (
    load_strictly,
    require_channel_order,
    require_class_order,
    require_fit,
)
from ...checkpoints.unwrap import unwrapped
from ...checkpoints.weights import (
    CheckpointMismatchError,
    few,
    mismatches,
    require_finite,
    weights_of,
)


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Hook that rejects checkpoints of other models; mmengine loads the matching names only.

    `hybrid-depth test` adds it: a partially loaded model only shows as bad scores.

    Weights of a detector trained with another order of classes are rejected too.

    Raises:
        CheckpointMismatchError: see `load_strictly`, `require_class_order` and `weights_of`.
    """

    # before EMAHook, which copies the weights
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        model, order = unwrapped(runner.model), _channel_order(checkpoint)
        tasks = getattr(getattr(model, 'pts_bbox_head', None), 'class_names', None)
        if tasks is not None:
            classes = [name for task in tasks for name in task]
            require_class_order(classes, checkpoint, runner._load_from)
        _unwrap(runner, checkpoint)
        load_strictly(model, checkpoint['state_dict'], runner._load_from, order)


@HOOKS.register_module()
class InitialWeightsHook(Hook):
    """Hook that checks the weights at the start of a training, before anything is loaded.

    `hybrid-depth train` adds it. To resume, weights, averaged weights and the optimiser's state
    must match the model exactly. `load_from` may have a part of a model: what is not loaded is
    logged.

    Raises:
        CheckpointMismatchError: the weights do not match, or are not finite; or `load_from` has no
            tensor of the model.
    """

    # before EMAHook, which copies the weights
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        _unwrap(runner, checkpoint)
        source = _source(runner)
        if runner._resume:
            _require_same_model(runner, checkpoint, source)
        else:
            _report_loaded(unwrapped(runner.model).state_dict(), checkpoint['state_dict'], source)


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
        model, order = unwrapped(runner.model), _channel_order(checkpoint)
        require_channel_order(model, order, runner._load_from)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        backbone = getattr(unwrapped(runner.model), 'img_backbone', None)
        order = getattr(backbone, 'channel_order', None)
        if order is not None:
            checkpoint['meta']['input_channel_order'] = order


def _channel_order(checkpoint: dict) -> str | None:
    return checkpoint.get('meta', {}).get('input_channel_order')


def _source(runner: Runner) -> str:
    return str(runner._load_from or runner.work_dir)


def _unwrap(runner: Runner, checkpoint: dict) -> None:
    """Replace `state_dict` by the model's weights without wrappers; mmengine removes only
    `module.`."""
    expected = unwrapped(runner.model).state_dict()
    checkpoint['state_dict'] = weights_of(checkpoint, _source(runner), expected)


def _require_same_model(runner: Runner, checkpoint: dict, source: str) -> None:
    """Raises CheckpointMismatchError unless the training can resume from the checkpoint."""
    model = unwrapped(runner.model)
    require_fit(model, checkpoint['state_dict'], source)
    averaged = checkpoint.get('ema_state_dict')
    if averaged is not None:
        weights = weights_of(dict(ema_state_dict=averaged), source, model.state_dict())
        weights.pop('steps', None)  # of the average
        require_fit(model, weights, f'{source}, ema_state_dict')
    optimizer = getattr(runner.optim_wrapper, 'optimizer', None)
    if optimizer is None or 'optimizer' not in checkpoint:  # of several optimisers; reported later
        return
    try:
        problems = _other_parameters(optimizer.param_groups, checkpoint['optimizer'], source)
    except (AttributeError, KeyError, TypeError) as error:
        problems = [f'an entry of another kind ({error})']
    if problems:
        raise CheckpointMismatchError(
            f"{source}: expected the optimiser's state of this training, got {few(problems)}. "
            'Resume with the config of the training, or start from the weights alone: '
            '--cfg-options load_from=FILE, without --resume'
        )


def _other_parameters(groups: list[dict], state: dict, source: str) -> list[str]:
    """Differences between an optimiser's parameters and its saved state; torch compares only the
    sizes of the groups, and reads other shapes out of bounds."""
    sizes = [len(group['params']) for group in groups]
    saved_sizes = [len(group['params']) for group in state['param_groups']]
    if saved_sizes != sizes:
        return [f'groups of {few(saved_sizes)} parameters instead of {few(sizes)}']
    parameters = [parameter for group in groups for parameter in group['params']]
    indices = [index for group in state['param_groups'] for index in group['params']]
    problems = []
    for index, parameter in zip(indices, parameters, strict=True):
        moments = {f'{index}.{k}': v for k, v in state['state'].get(index, {}).items()}
        require_finite(moments, f'{source}, optimizer')
        problems += [
            f'{name}: {list(value.shape)} instead of {list(parameter.shape)}'
            for name, value in moments.items()
            if getattr(value, 'ndim', 0) > 0 and value.shape != parameter.shape
        ]
    return problems


def _report_loaded(expected: dict, weights: dict, source: str) -> None:
    """Log what `load_from` has and has not; raises CheckpointMismatchError if it has nothing."""
    problems = mismatches(weights, expected)
    common = expected.keys() & weights.keys()
    fitting = {k for k in common if not mismatches({k: weights[k]}, {k: expected[k]})}
    lines = '\n  '.join(problems)
    if not fitting:
        raise CheckpointMismatchError(
            f'{source}: expected weights of this model or of a part of it, got none of its '
            f'{len(expected)} tensors\n  {lines}\nUse the config of the model that the weights '
            'belong to, or start from random weights with --cfg-options load_from=None'
        )
    print_log(
        f'{source}: {len(fitting)} of {len(expected)} tensors of the model loaded'
        + (f'; {len(expected) - len(fitting)} keep their initial values\n  {lines}' * bool(lines)),
        logger='current',
        level=logging.WARNING if problems else logging.INFO,
    )
