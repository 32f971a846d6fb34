"""Hybrid-Depth toolkit: swap any depth encoder under any camera-only BEV detector.

Importing it registers everything that can be registered: the depth rooms always, the BEV rooms
when mmdet3d and mmcv's compiled ops are installed. It also makes checkpoint loading safe.
"""

import importlib
import warnings

from . import checkpoints
from .optional import absent_bev_packages
from .version import __version__

__all__ = ['__version__', 'bev_problem']

_DEPTH_ROOMS = ('foundation', 'encoders', 'decoders', 'estimators', 'engine')
# These leave out their BEV part by themselves.
_MIXED_ROOMS = ('datasets', 'transforms', 'evaluation', 'visualization', 'inference')
_BEV_ROOMS = ('bev',)


def _register(rooms: tuple[str, ...]) -> None:
    for room in rooms:
        importlib.import_module(f'{__name__}.{room}')


def bev_problem() -> str | None:
    """Why BEV models cannot be used here, or None when they can.

    Returns:
        'not installed: ...' where a package is absent; 'broken: ...' where one is there but does
        not import (most often mmcv without compiled ops, or ops compiled for another torch).
    """
    absent = absent_bev_packages()
    if absent:
        return f'not installed: {", ".join(absent)}'
    try:
        importlib.import_module('mmcv.ops')
        importlib.import_module('mmdet3d.structures')
    except (ImportError, AssertionError, OSError) as error:
        return f'broken: {type(error).__name__}: {error}'
    return None


checkpoints.install()
_problem = bev_problem()
_register(_DEPTH_ROOMS)
if _problem is None:
    _register(_MIXED_ROOMS + _BEV_ROOMS)
elif _problem.startswith('not installed'):
    _register(_MIXED_ROOMS)
else:
    warnings.warn(
        f'BEV models and data sets are switched off; mmdet3d or mmcv is {_problem}. Set up again '
        'with `rm .venv/*.stamp && make test`, or see `python -m hybrid_depth.env`.',
        stacklevel=2,
    )
