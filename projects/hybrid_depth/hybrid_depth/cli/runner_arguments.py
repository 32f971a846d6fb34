"""Shared arguments of the tools that build an mmengine Runner, with mmdet3d's names."""

import argparse
import os
import re
from typing import Any

from .number_types import whole

_SPACE = '\x1f'


class _Options(argparse.Action):
    """mmengine's `DictAction`, which drops the spaces in paths, with these spaces."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        options = dict(getattr(namespace, self.dest, None) or {})
        for value in values:
            key, equals, text = value.partition('=')
            if not (key.strip() and equals):
                parser.error(f'{option_string} expected KEY=VALUE, got {value!r}')
            try:
                options[key.strip()] = parse_option(text)
            except AssertionError as error:  # of mmengine
                parser.error(f'{option_string} {key}: {error}')
        setattr(namespace, self.dest, options)


def parse_option(text: str) -> Any:
    """Value of `--cfg-options`: a number, truth value, None, text, or a list or tuple of these.

    Example:
        >>> parse_option('[1, 2.5, /my data/toy]')
        [1, 2.5, '/my data/toy']
    """
    from mmengine.config import DictAction  # takes a second

    # DictAction does not end on spaces between items
    text = re.sub(r'(?<=[,(\[])\s+|\s+(?=[)\]])', '', text.strip())
    return _with_spaces(DictAction._parse_iterable(text.replace(' ', _SPACE)))


def _with_spaces(value: Any) -> Any:
    from mmengine.config import DictAction

    if isinstance(value, list | tuple):
        return type(value)(_with_spaces(item) for item in value)
    if isinstance(value, str) and _SPACE in value:
        return DictAction._parse_int_float_bool(value.replace(_SPACE, ' ').strip('\'" '))
    return value


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train` and `test`."""
    parser.add_argument('--work-dir', help='logs and results (default: work_dirs/CONFIG)')
    add_config_options(parser)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=whole, default=0)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """`--cfg-options`."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_Options,
        help='override config values: train_cfg.max_epochs=2 "a.b=[1,2]"',
    )


def set_local_rank(args: argparse.Namespace) -> None:
    """Pass the rank on to mmengine, unless the launcher has set it."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
