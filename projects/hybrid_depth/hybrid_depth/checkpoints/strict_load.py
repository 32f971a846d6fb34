"""Strict loading of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from .weights import CheckpointMismatchError, mismatches, other_types

__all__ = [
    'CheckpointMismatchError',
    'load_strictly',
    'require_channel_order',
    'require_class_order',
    'require_fit',
]


def load_strictly(
    model: nn.Module,
    state_dict: Mapping[str, Tensor],
    source: str,
    channel_order: str | None = None,
) -> None:
    """Load weights into a model that has exactly these keys and shapes.

    Args:
        model: changed in place.
        state_dict: the weights, see `weights_of`.
        source: where they come from, for the error.
        channel_order: of the images they were trained on, where it is known (`input_channel_order`
            in the `meta` of converted BEVDet checkpoints).

    Raises:
        CheckpointMismatchError: keys are missing, unexpected or of another shape, or values are
            integers; or the model's backbone takes another channel order.
    """
    require_channel_order(model, channel_order, source)
    if other_types(state_dict, model.state_dict()):  # torch would convert them
        require_fit(model, state_dict, source)
    try:
        model.load_state_dict(state_dict)
    except RuntimeError as error:
        problems = mismatches(state_dict, model.state_dict()) or [str(error)]
        raise CheckpointMismatchError(_text(model, source, problems)) from error


def require_fit(model: nn.Module, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Check that weights have the keys and shapes of a model, without loading them.

    Raises:
        CheckpointMismatchError: keys are missing, unexpected or of another shape or type.
    """
    problems = mismatches(state_dict, model.state_dict())
    if problems:
        raise CheckpointMismatchError(_text(model, source, problems))


def _text(model: nn.Module, source: str, problems: list[str]) -> str:
    lines = '\n  '.join(problems)
    return (
        f'{source}: expected the weights of this {type(model).__name__}, got tensors\n  {lines}\n'
        'Use the config of the model that the weights belong to.'
    )


def require_channel_order(model: nn.Module, channel_order: str | None, source: str) -> None:
    """Check the channel order of the backbone's input images, see `load_strictly`.

    Raises:
        CheckpointMismatchError: the model's backbone takes another channel order.
    """
    shown = getattr(getattr(model, 'img_backbone', None), 'channel_order', channel_order)
    if channel_order is not None and shown != channel_order:
        raise CheckpointMismatchError(
            f'{source}: expected a backbone with channel_order {channel_order!r}, as these weights '
            f'were trained, got {shown!r}; set model.img_backbone.channel_order={channel_order}'
        )


def require_class_order(classes: Sequence[str], checkpoint: Mapping, source: str) -> None:
    """Check the order of the classes with which weights were trained, where mmengine recorded it.

    Args:
        classes: those of the data set or head, in their order.
        checkpoint: content of the file, with `meta`.
        source: where it comes from, for the error.

    Raises:
        CheckpointMismatchError: other classes, or another order.
    """
    recorded = (checkpoint.get('meta', {}).get('dataset_meta') or {}).get('classes')
    if recorded is not None and list(recorded) != list(classes):
        raise CheckpointMismatchError(
            f'{source}: expected weights trained with the classes {", ".join(classes)}, got '
            f'{", ".join(map(str, recorded))}; set these in metainfo=dict(classes=...) of the data '
            'sets and class_names of the tasks'
        )
