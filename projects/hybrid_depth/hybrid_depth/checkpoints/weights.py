"""Weights of a checkpoint file: unwrapped, finite, and compared with those of a model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import HybridDepthError

# Entries with the weights in files of training frameworks; averaged (EMA) weights come first. In
# mmengine's files `state_dict` has the averaged weights, `ema_state_dict` the current ones.
_CONTAINERS = (
    'state_dict_ema',
    'model_ema',
    'ema',
    'state_dict',
    'model_state_dict',
    'ema_state_dict',
    'model',
    'teacher',
    'params_ema',
    'params',
)
# Of data-parallel, compiled, averaged and Lightning models.
_WRAPPERS = ('module.', '_orig_mod.', 'model.', 'ema_model.')
# Of models that contain the backbone for which `pretrained` has the weights.
_PARTS = ('teacher.backbone.', 'teacher.', 'backbone.', 'encoder.', 'img_backbone.', 'visual.')
_ATTENTION_MASK = 'mask'  # ends the names of buffers whose masked values are -infinity
_SHOWN = 8


class CheckpointMismatchError(HybridDepthError, ValueError):
    """Weights that do not match a model, or cannot be used; the text lists keys and shapes."""


def weights_of(content: Mapping[str, Any], source: str, expected: Collection[str]) -> OrderedDict:
    """Weights of a checkpoint under the names of a model, without the wrappers of training.

    Args:
        content: content of the file: a state dict, or a checkpoint that contains one
            (`state_dict`, `model`, `teacher`, `model_ema`, ...; averaged weights take precedence).
        source: its name, for errors.
        expected: names of the model's tensors. The prefixes `module.`, `_orig_mod.`, `model.` and
            `ema_model.` are removed from names that the model does not have.

    Raises:
        CheckpointMismatchError: no weights, weights that are NaN, infinite or not dense, or two
            weights of one name.
    """
    state = _state_dict(content, source)
    weights = OrderedDict()
    for key, value in state.items():
        if not torch.is_tensor(value):
            continue
        name = _unwrapped(str(key), expected)
        if name in weights:
            raise CheckpointMismatchError(
                f'{source}: expected one tensor {name}, got two, one of them {key}. Save the '
                'weights of one model, with torch.save(model.state_dict(), FILE).'
            )
        weights[name] = value
    if not weights:
        raise CheckpointMismatchError(
            f'{source}: expected weights, got no tensor in {few(map(str, state))}; is it another '
            'kind of file?'
        )
    require_finite(weights, source)
    weights._metadata = getattr(state, '_metadata', OrderedDict())  # versions of the layers
    return weights


def part_of(weights: Mapping[str, Tensor], expected: Collection[str]) -> dict[str, Tensor]:
    """Weights of the backbone in those of a larger model, such as `teacher.backbone.*`.

    The part with the most names in `expected` is selected; weights of the backbone alone are
    returned unchanged.
    """
    parts = [
        {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        }
        for prefix in ('', *_PARTS)
    ]
    return max(parts, key=lambda part: len(part.keys() & set(expected)))


def require_finite(weights: Mapping[str, Any], source: str) -> None:
    """Check that all tensors are dense and finite.

    Raises:
        CheckpointMismatchError: a tensor has NaN or infinity (attention masks may be -infinity), or
            is sparse, quantised or without values.
    """
    tensors = {key: value for key, value in weights.items() if torch.is_tensor(value)}
    odd = [key for key, value in tensors.items() if not _is_dense(value)]
    if odd:
        raise CheckpointMismatchError(
            f'{source}: expected dense tensors, got {len(odd)} sparse or quantised ones, or ones '
            f'without values: {few(odd)}. Save the weights with torch.save(model.state_dict(), '
            'FILE) before compression.'
        )
    broken = [key for key, value in tensors.items() if not _is_finite(key, value)]
    if broken:
        raise CheckpointMismatchError(
            f'{source}: expected finite weights, got NaN or infinity in {len(broken)} of '
            f'{len(tensors)} tensors: {few(broken)}. The training diverged or the file is damaged: '
            'use an earlier checkpoint.'
        )


def mismatches(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """Differences between weights and those of a model in words; empty if they match.

    Tensors of the model that are missing, unexpected ones, and those of another shape or of
    integers instead of floating-point numbers.
    """
    common = [key for key in expected if key in given]
    shapes = [
        f'{key}: {list(given[key].shape)} instead of {list(expected[key].shape)}'
        for key in common
        if given[key].shape != expected[key].shape
    ]
    problems = [
        ('not in the file', sorted(expected.keys() - given.keys())),
        ('not in the model', sorted(given.keys() - expected.keys())),
        ('of another shape', shapes),
        ('of another type', other_types(given, expected)),
    ]
    return [f'{len(names)} {what}: {few(names)}' for what, names in problems if names]


def other_types(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """Integer or complex values for floating-point tensors of a model, in words."""
    return [
        f'{key}: {value.dtype} instead of {expected[key].dtype}'
        for key, value in given.items()
        if key in expected and expected[key].is_floating_point() and not value.is_floating_point()
    ]


def few(names: Any) -> list[str]:
    """The first names, and the number of the others."""
    names = list(names)
    more = len(names) - _SHOWN
    return [*names[:_SHOWN], f'and {more} more'] if more > 0 else names


def _state_dict(content: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    while isinstance(content, Mapping):
        found = next((key for key in _CONTAINERS if isinstance(content.get(key), Mapping)), None)
        if found is None:
            return content
        content = content[found]
    raise CheckpointMismatchError(
        f'{source}: expected a dict of tensors, got {type(content).__name__}'
    )


def _unwrapped(key: str, expected: Collection[str]) -> str:
    name = key
    while name not in expected:
        prefix = next((prefix for prefix in _WRAPPERS if name.startswith(prefix)), None)
        if prefix is None:
            inner = name.replace('._orig_mod.', '.')  # of a part that is compiled
            return inner if inner in expected else name
        name = name.removeprefix(prefix)
    return name


def _is_dense(value: Tensor) -> bool:
    return value.layout == torch.strided and not value.is_meta and not value.is_quantized


def _is_finite(key: str, value: Tensor) -> bool:
    if not (value.is_floating_point() or value.is_complex()):
        return True
    value = value.float() if value.element_size() == 1 else value  # not implemented for float8
    if key.endswith(_ATTENTION_MASK):
        return not (value.isnan() | (value == torch.inf)).any()
    return bool(torch.isfinite(value).all())
