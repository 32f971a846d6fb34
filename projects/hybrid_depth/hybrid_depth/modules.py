"""Registers everything that is installed, and makes checkpoint loading safe.

Configs name it: ``custom_imports = dict(imports=['hybrid_depth.modules'],
allow_failed_imports=False)``. The depth rooms are registered always, the BEV rooms where mmdet3d is
installed.
"""

import importlib
import warnings
from datetime import datetime

from mmengine.registry import DefaultScope

from . import checkpoints
from .optional import bev_problem

_DEPTH_ROOMS = ('foundation', 'encoders', 'decoders', 'estimators', 'engine')
# These leave out their BEV part by themselves.
_MIXED_ROOMS = ('datasets', 'transforms', 'evaluation', 'visualization', 'inference')
_BEV_ROOMS = ('bev',)


def _register(rooms: tuple[str, ...]) -> None:
    for room in rooms:
        importlib.import_module(f'hybrid_depth.{room}')


def init_default_scope() -> None:
    """Make ``mmdet3d`` the scope in which mmengine's registries look up names first."""
    current = DefaultScope.get_current_instance()
    if current is None or current.scope_name != 'mmdet3d':
        DefaultScope.get_instance(f'mmdet3d-{datetime.now()}', scope_name='mmdet3d')


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
