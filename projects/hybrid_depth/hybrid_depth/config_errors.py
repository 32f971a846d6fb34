"""Errors of components built from a config: which component, which key, and the nearest name.

mmengine raises KeyError and TypeError with a traceback through its registries instead.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any

from .errors import ConfigError, HybridDepthError

_UNEXPECTED = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_NONE_TAKEN = re.compile(r'(\w+)\(\) takes no arguments')
_ONE_VALUE = 'Expected more than 1 value per channel when training'  # of torch's batch norm
_MISSING = re.compile(r'([\w.]+)\(\) missing \d+ required .*arguments?: (.+)')


@contextmanager
def explained(cfg: Any) -> Iterator[None]:
    """Context that builds components of a config.

    Args:
        cfg: complete config, or a part; paths in errors start there.

    Raises:
        ConfigError: an unknown `type`, an unknown or missing argument of a component, or a value
            from which it cannot be built.
    """
    try:
        yield
    except (HybridDepthError, OSError, FloatingPointError):
        raise
    except Exception as error:  # whatever components do with values of another kind
        parts = cfg.to_dict() if hasattr(cfg, 'to_dict') else cfg
        text = _known(error, parts) or _cannot_be_built(error, parts)
        if text is None:
            raise
        raise ConfigError(f'{getattr(cfg, "filename", None) or "config"}: {text}') from error


def _known(error: Exception, cfg: Any) -> str | None:
    if isinstance(error, KeyError):
        return _unknown_type(error, cfg)
    if isinstance(error, ValueError) and _ONE_VALUE in str(error):
        return (
            'expected batches from which batch normalisation can train, got one sample whose '
            'feature map has one pixel: train_dataloader.batch_size=2 or more, and '
            'train_dataloader.drop_last=True where the last batch of an epoch has one sample'
        )
    return _argument(error, cfg) if isinstance(error, TypeError) else None


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Sentence with the most similar of several names; empty if none is similar.

    Example:
        >>> nearest('depth_nett', ['depth_net', 'heads'])
        "; did you mean 'depth_net'?"
    """
    lower = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), lower, 1, cutoff)
    return f'; did you mean {lower[close[0]]!r}?' if close else ''


def paths_of(cfg: Any, key: str, value: Any = None, at: str = '') -> Iterator[tuple[str, dict]]:
    """(path, dict) of all dicts in a config that have a key, optionally with that value."""
    if isinstance(cfg, dict):
        if key in cfg and value in (None, cfg[key]):
            yield at, cfg
        items = [(f'{at}.{name}' if at else str(name), item) for name, item in cfg.items()]
    elif isinstance(cfg, list | tuple):
        items = [(f'{at}[{place}]', item) for place, item in enumerate(cfg)]
    else:
        return
    for path, item in items:
        yield from paths_of(item, key, value, path)


def _unknown_type(error: KeyError, cfg: Any) -> str | None:
    frame = _last_build(error.__traceback__)
    if frame is None or 'is not in the' not in str(error) or 'obj_type' not in frame:
        return None
    kind, registry = frame['obj_type'], frame['registry']
    known = set()
    while registry is not None:  # a child registry uses the components of its parents
        known |= set(registry.module_dict)
        registry = registry.parent
    place = next((path for path, _ in paths_of(cfg, 'type', kind)), None)
    return (
        f'expected as type{_at(place)} a registered {frame["registry"].name}, got {kind!r}, '
        f'which custom_imports does not import{nearest(kind, known)}'
    )


def _argument(error: TypeError, cfg: Any) -> str | None:
    """Text on an unknown or missing argument; None if it is not of the config."""
    frame = _last_build(error.__traceback__) or {}
    component = frame.get('obj_cls')
    given = frame.get('args', {})
    if 'None is not a callable object' in str(error):
        return _unknown_optimizer(cfg)
    if _NONE_TAKEN.search(str(error)) and given:
        place = next((path for path, _ in paths_of(cfg, 'type', frame['obj_type'])), None)
        return f'expected no arguments of {frame["obj_type"]}{_at(place)}, got {sorted(given)}'
    if unexpected := _UNEXPECTED.search(str(error)):
        name, key = unexpected.groups()
        if key not in given:  # a loop or a data loader, which mmengine builds itself
            component = _built_by_mmengine(name.split('.')[0])
        places = [(path, node) for path, node in paths_of(cfg, key)]
        if not places:
            return None
        kind = getattr(component, '__name__', name)
        place = next((path for path, node in places if node.get('type') == kind), places[0][0])
        known = set(_arguments(component)) - {key}
        return f'expected arguments of {kind}{_at(place)}, got {key!r}{nearest(key, known)}'
    if (missing := _MISSING.search(str(error))) and component is not None:
        if missing[1].split('.')[0] not in {kind.__name__ for kind in _kinds(component)}:
            return None
        kind = component.__name__
        place = next((path for path, _ in paths_of(cfg, 'type', kind)), None)
        return f'expected {missing[2]} of {kind}{_at(place)}, got {sorted(given)}'
    return None


def _cannot_be_built(error: Exception, cfg: Any) -> str | None:
    """Text on any other error before the first iteration; None for one of a running loop."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    by_mmengine = [f for f in frames if f.f_globals['__name__'].startswith('mmengine.')]
    if not by_mmengine or any(map(_is_loop, frames)):
        return None
    built = (_last_build(error.__traceback__) or {}).get('obj_type')
    name = getattr(built, '__name__', built)
    place = next((path for path, _ in paths_of(cfg, 'type', name)), None) if name else None
    inner = frames[-1]
    return (
        f'expected values from which {name or "the training or test"}{_at(place)} can be built, '
        f'got {type(error).__name__}: {error} '
        f'({Path(inner.f_code.co_filename).name}, line {inner.f_lineno})'
    )


def _is_loop(frame: FrameType) -> bool:
    kind = type(frame.f_locals.get('self')).__name__
    return kind.endswith('Loop') and frame.f_code.co_name == 'run'


def _unknown_optimizer(cfg: Any) -> str | None:
    """Text on an optimizer, which mmengine looks up without an error."""
    from mmengine.registry import OPTIMIZERS

    for path, node in paths_of(cfg, 'optimizer'):
        kind = node['optimizer'].get('type')
        if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
            return (
                f'expected as type ({path}.optimizer) a registered optimizer, got {kind!r}'
                f'{nearest(kind, OPTIMIZERS.module_dict)}'
            )
    return None


def _at(place: str | None) -> str:
    return f' ({place})' if place else ''


def _last_build(traceback: TracebackType | None) -> dict | None:
    """Variables of the innermost call in which mmengine builds a component."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name in ('build_from_cfg', 'build_model_from_cfg'):
            variables = traceback.tb_frame.f_locals
            found = variables if 'obj_type' in variables else found
        traceback = traceback.tb_next
    return found


def _built_by_mmengine(name: str) -> Any:
    from mmengine.registry import LOOPS
    from torch.utils.data import DataLoader

    return DataLoader if name == 'DataLoader' else LOOPS.get(name)


def _kinds(component: Any) -> tuple:
    return component.__mro__ if inspect.isclass(component) else (component,)


def _arguments(component: Any) -> Iterator[str]:
    """Arguments of a class, with those that it passes to its base classes."""
    for kind in _kinds(component) if component is not None else ():
        function = kind.__dict__.get('__init__') if inspect.isclass(kind) else kind
        if function is None or not callable(function):
            continue
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:  # written in C
            continue
        yield from (p.name for p in parameters if p.name != 'self' and p.kind < p.VAR_KEYWORD)
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            return
