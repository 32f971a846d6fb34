"""Values of a config that mmengine and torch refuse late, with a traceback, or not at all."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from ..errors import ConfigError

_Check = Callable[[Any], bool]
_Rule = tuple[str, _Check]  # the form in words, and the check


def _is_number(value: Any, minimum: float, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and minimum <= value < math.inf


def _are(kind: type) -> _Check:
    return lambda values: (
        isinstance(values, list | tuple) and all(isinstance(value, kind) for value in values)
    )


_DICT: _Rule = ('dict(...)', lambda value: isinstance(value, dict))
_TEXT: _Rule = ('text', lambda value: isinstance(value, str))
_FLAG: _Rule = ('True or False', lambda value: isinstance(value, bool))
_NOT_NEGATIVE: _Rule = (
    'a finite number of at least 0 (1.0e-3 in YAML, where 1e-3 is text)',
    lambda value: _is_number(value, 0, (int, float)),
)
_EVALUATORS: _Rule = (
    'dict(...) or a list of these',
    lambda value: isinstance(value, dict) or bool(value) and _are(dict)(value),
)


def _at_least(minimum: int) -> _Rule:
    return (
        f'a whole number of at least {minimum}',
        lambda value: _is_number(value, minimum, (int,)),
    )


_INTERVAL: _Rule = (
    'a whole number of at least 1, or -1 for never',
    lambda value: value == -1 or _is_number(value, 1, (int,)),
)
_MILESTONES: _Rule = (
    'a list of whole numbers',
    lambda value: isinstance(value, list | tuple) and all(type(item) is int for item in value),
)
_LOADER = dict(
    batch_size=_at_least(1),
    num_workers=_at_least(0),
    dataset=_DICT,
    sampler=_DICT,
    collate_fn=_DICT,
    drop_last=_FLAG,
    persistent_workers=_FLAG,
    pin_memory=_FLAG,
)
_SCHEDULER = dict(
    begin=_NOT_NEGATIVE,
    end=_NOT_NEGATIVE,
    by_epoch=_FLAG,
    start_factor=_NOT_NEGATIVE,
    end_factor=_NOT_NEGATIVE,
    eta_min=_NOT_NEGATIVE,
    factor=_NOT_NEGATIVE,
    gamma=_NOT_NEGATIVE,
    power=_NOT_NEGATIVE,
    milestones=_MILESTONES,
)
#: None stands for the default, but in these.
_NEVER_NONE = {'batch_size', 'num_workers', 'dataset', 'collate_fn', 'optimizer', 'lr'}
_RULES: dict[str, Any] = dict(
    train_dataloader=_LOADER,
    val_dataloader=_LOADER,
    test_dataloader=_LOADER,
    train_cfg=dict(by_epoch=_FLAG, val_begin=_at_least(0), val_interval=_at_least(1)),
    val_cfg=_DICT,
    test_cfg=_DICT,
    optim_wrapper=dict(
        optimizer=dict(lr=_NOT_NEGATIVE, weight_decay=_NOT_NEGATIVE),
        accumulative_counts=_at_least(1),
        clip_grad=dict(max_norm=_NOT_NEGATIVE),
        paramwise_cfg=_DICT,
    ),
    param_scheduler=[_SCHEDULER],
    val_evaluator=_EVALUATORS,
    test_evaluator=_EVALUATORS,
    custom_hooks=('a list of dict(...)', _are(dict)),
    default_hooks={
        'checkpoint': dict(interval=_INTERVAL, max_keep_ckpts=_INTERVAL),
        '*': _DICT,
    },
    randomness=dict(seed=_at_least(0)),
    env_cfg=dict(mp_cfg=_DICT, dist_cfg=_DICT),
    auto_scale_lr=dict(base_batch_size=_at_least(1), enable=_FLAG),
    model_wrapper_cfg=_DICT,
    log_level=(
        "the name of a level, such as 'INFO'",
        lambda value: isinstance(logging.getLevelName(value), int) or type(value) is int,
    ),
    log_processor=_DICT,
    visualizer=_DICT,
    load_from=_TEXT,
    work_dir=_TEXT,
    experiment_name=_TEXT,
    default_scope=_TEXT,
    runner_type=_TEXT,
    sync_bn=("'torch' or 'mmcv'", lambda value: value in ('torch', 'mmcv')),
    find_unused_parameters=_FLAG,
    resume=_FLAG,
)
_TOGETHER = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)
_FILLED = {'train_dataloader', 'optim_wrapper'}  # an empty dict(), as of loops, is no value


def check_values(cfg: Config) -> None:
    """Reject values of mmengine's keys that are of another kind or out of range, and NaN anywhere.

    Raises:
        ConfigError: such a value.
    """
    for path, form, value in _wrong(cfg, _RULES, ''):
        raise ConfigError(f'{cfg.filename}: expected {path} as {form}, got {value!r}')
    for path in _nans(cfg.to_dict()):
        raise ConfigError(f'{cfg.filename}: expected numbers, got NaN in {path}')


def check_complete(cfg: Config) -> None:
    """Reject loops without their data or evaluator, and trainings without an optimizer.

    Raises:
        ConfigError: some of several keys that belong together.
    """
    for keys in _TOGETHER:
        absent = [key for key in keys if cfg.get(key) is None or key in _FILLED and not cfg[key]]
        if len(absent) in (1, 2):
            given = next(key for key in keys if key not in absent)
            raise ConfigError(
                f'{cfg.filename}: expected {", ".join(keys)} together, got {given} without '
                f'{" and ".join(absent)}; set what is missing, or all three to None'
            )


def _wrong(node: Any, rules: Mapping[str, Any], at: str) -> Iterator[tuple[str, str, Any]]:
    """(path, expected form, value) of values that break a rule.

    Args:
        rules: by key: the form and its check, the rules of a dict, or in a list those of one or
            several dicts; '*' is for all other keys.
    """
    for key, value in node.items():
        rule, path = rules.get(key, rules.get('*')), f'{at}.{key}' if at else key
        if rule is None or (value is None and key not in _NEVER_NONE):
            continue
        if isinstance(rule, tuple):
            if not rule[1](value):
                yield path, rule[0], value
        elif isinstance(value, dict):
            yield from _wrong(value, rule[0] if isinstance(rule, list) else rule, path)
        elif isinstance(rule, list) and _are(dict)(value):
            for place, item in enumerate(value):
                yield from _wrong(item, rule[0], f'{path}[{place}]')
        else:
            yield path, 'dict(...)' + ' or a list of these' * isinstance(rule, list), value


def _nans(node: Any, at: str = '') -> Iterator[str]:
    """Paths of numbers that are NaN."""
    if isinstance(node, float) and math.isnan(node):
        yield at
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _nans(value, f'{at}.{key}' if at else str(key))
    elif isinstance(node, list | tuple):
        for place, value in enumerate(node):
            yield from _nans(value, f'{at}[{place}]')
