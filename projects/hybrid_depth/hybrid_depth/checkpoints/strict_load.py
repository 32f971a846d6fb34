"""Strict loading of weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ..errors import HybridDepthError

_LINES, _LETTERS = 12, 300  # shown of torch's list of mismatches, which may name a thousand keys


class CheckpointMismatchError(HybridDepthError, ValueError):
    """Weights that do not match a model; the text lists keys and shapes."""


def load_strictly(
    model: nn.Module,
    state_dict: Mapping[str, Tensor],
    source: str,
    channel_order: str | None = None,
) -> None:
    """Load weights into a model that has exactly these keys and shapes.

    Args:
        model: changed in place.
        state_dict: the weights.
        source: where they come from, for the error.
        channel_order: of the images they were trained on, where it is known (`input_channel_order`
            in the `meta` of converted BEVDet checkpoints).

    Raises:
        CheckpointMismatchError: keys are missing, unexpected or of another shape; or the model's
            backbone takes another channel order.
    """
    require_channel_order(model, channel_order, source)
    try:
        model.load_state_dict(state_dict)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        more = [f'and {len(lines) - _LINES} more'] if len(lines) > _LINES else []
        shown = [
            line if len(line) <= _LETTERS else f'{line[:_LETTERS]} ...' for line in lines[:_LINES]
        ]
        raise CheckpointMismatchError(
            f'{source}: expected the weights of this {type(model).__name__}, got:\n  '
            + '\n  '.join(shown + more)
            + '\nTake the config that the weights were made with.'
        ) from error


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
