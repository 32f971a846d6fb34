"""Tables of weight files: wrapped as training frameworks do, and unusable ones."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file


def under(prefix: str, state: dict) -> dict:
    return {prefix + key: value for key, value in state.items()}


def _other(state: dict) -> dict:
    """Weights that must not be selected."""
    return {key: torch.zeros_like(value) for key, value in state.items()}


#: Files of whole models, which every tool reads: content from a state dict.
WRAPPED: dict[str, Callable[[dict], dict]] = {
    'plain': lambda s: s,
    'data parallel': lambda s: under('module.', s),
    'compiled': lambda s: under('_orig_mod.', s),
    'compiled in data parallel': lambda s: under('module._orig_mod.', s),
    'data parallel compiled': lambda s: under('_orig_mod.module.', s),
    'state_dict': lambda s: dict(state_dict=s, epoch=3),
    'model': lambda s: dict(model=s, optimizer={}),
    'nested': lambda s: dict(model=dict(state_dict=under('module.', s))),
    'lightning': lambda s: dict(state_dict=under('model.', s), callbacks={}),
    'teacher': lambda s: dict(teacher=under('module.', s), student=_other(s)),
    'timm average': lambda s: dict(state_dict=_other(s), state_dict_ema=s),
    'deit average': lambda s: dict(model=_other(s), model_ema=s),
    'average alone': lambda s: dict(ema_state_dict=under('module.', s), updates=7),
    'average of a wrapper': lambda s: under('ema_model.', s),
    'model_state_dict': lambda s: dict(model_state_dict=s, loss=torch.tensor(0.5)),
    'params': lambda s: dict(params=_other(s), params_ema=s),
    'half precision': lambda s: {k: v.half() if v.is_floating_point() else v for k, v in s.items()},
    'with settings': lambda s: dict(s, height=192, width=640, use_stereo=False),
}

#: Files of models that contain the backbone, for `pretrained`.
PARTS: dict[str, Callable[[dict], dict]] = {
    'DINOv2 training': lambda s: dict(
        model={**under('student.backbone.', _other(s)), **under('teacher.backbone.', s)}
    ),
    'DINOv2 teacher': lambda s: dict(
        teacher={**under('backbone.', s), 'dino_head.mlp.0.weight': torch.ones(2)}
    ),
    'DINO training': lambda s: dict(
        student=under('module.backbone.', _other(s)), teacher=under('backbone.', s)
    ),
    'data parallel teacher': lambda s: under('module.teacher.backbone.', s),
    'classifier of mmpretrain': lambda s: dict(
        state_dict={**under('backbone.', s), 'neck.weight': torch.ones(3)}
    ),
    'encoder of monodepth': lambda s: dict(under('encoder.', s), height=192),
    'detector': lambda s: dict(
        state_dict={**under('img_backbone.', s), 'pts_bbox_head.weight': torch.ones(3)}
    ),
}


def _changed(state: dict, change: Callable[[torch.Tensor], torch.Tensor]) -> dict:
    """A copy whose largest tensor is changed."""
    key = max(state, key=lambda name: state[name].numel())
    return dict(state, **{key: change(state[key].clone())})


def _filled(value: float) -> Callable[[dict], dict]:
    def fill(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[-1] = value
        return tensor

    return lambda state: _changed(state, fill)


def _without(state: dict) -> dict:
    key = max(state, key=lambda name: state[name].numel())
    return {name: value for name, value in state.items() if name != key}


#: Weights that are NaN or infinite, or not plain tensors, in a complete state dict.
BROKEN: dict[str, Callable[[dict], dict]] = {
    'NaN': _filled(float('nan')),
    'infinity': _filled(float('inf')),
    'negative infinity': _filled(float('-inf')),
    'all NaN': lambda s: {k: v * float('nan') for k, v in s.items()},
    'NaN in half precision': lambda s: _changed(s, lambda v: (v * float('nan')).half()),
    'overflow of half precision': lambda s: _changed(s, lambda v: (v + 1e6).half()),
    'NaN average': lambda s: dict(state_dict=s, state_dict_ema=_filled(float('nan'))(s)),
    'NaN in data parallel': lambda s: under('module.', _filled(float('nan'))(s)),
    'sparse': lambda s: _changed(s, torch.Tensor.to_sparse),
    'no values': lambda s: _changed(s, lambda v: v.to('meta')),
}

#: Weights of something else, or with tensors missing or too many.
FOREIGN: dict[str, Callable[[dict], object]] = {
    'empty': lambda s: {},
    'empty state dict': lambda s: dict(state_dict={}),
    'no common name': lambda s: {f'x{i}': v for i, v in enumerate(s.values())},
    'unknown wrapper': lambda s: under('wrapper.of.nobody.', s),
    'upper case': lambda s: {k.upper(): v for k, v in s.items()},
    'numbers as names': lambda s: dict(enumerate(s.values())),
    'one missing': _without,
    'one missing in data parallel': lambda s: under('module.', _without(s)),
    'one too many': lambda s: dict(s, **{'extra.weight': torch.ones(2)}),
    'another shape': lambda s: _changed(s, lambda v: v.flatten()[:-1]),
    'another dimension': lambda s: _changed(s, lambda v: v[None]),
    'half of a tensor': lambda s: _changed(s, lambda v: v[: len(v) // 2]),
    'two of a name': lambda s: {**s, **under('module.', s)},
    'the student alone': lambda s: dict(student=s),
    'optimiser alone': lambda s: dict(optimizer=dict(state={}, param_groups=[])),
    'settings alone': lambda s: dict(height=192, width=640),
    'state dict of text': lambda s: dict(state_dict='weights'),
    'state dict of a list': lambda s: dict(state_dict=list(s.values())),
    'list': lambda s: list(s.values()),
    'tensor': lambda s: torch.ones(3),
    'text': lambda s: 'weights',
    'None': lambda s: None,
}


def write(content: object, path: Path) -> str:
    torch.save(content, path)
    return str(path)


def write_safetensors(state: dict, path: Path) -> str:
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return str(path)
