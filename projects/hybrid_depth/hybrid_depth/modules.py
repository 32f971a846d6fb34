"""Registers everything that is installed, and makes loading of checkpoints and info files safe.

Configs name it: ``custom_imports = dict(imports=['hybrid_depth.modules'],
allow_failed_imports=False)``. BEV modules are registered if mmdet3d is installed.
"""

import importlib
import warnings
from datetime import datetime

from mmengine.registry import DefaultScope

from . import depth_modules  # noqa: F401 (registers the depth modules)
from .optional import bev_problem
from .quick_imports import quick_imports

_MODULES = (
    'bev.backbones',
    'bev.depth_nets',
    'bev.lift',
    'bev.refine',
    'bev.temporal',
    'bev.heads',
    'bev.detectors',
    'bev.datasets.nuscenes',
    'bev.datasets.sequence_batches',
    'bev.transforms',
    'bev.evaluation.detection_metric',
    'bev.evaluation.nuscenes_metric',
    'bev.hooks',
    'pseudo_depth.hook',
    'pseudo_depth.target',
    'pseudo_depth.transform',
)


def init_default_scope() -> None:
    """Make ``mmdet3d`` the default scope of mmengine's registries."""
    current = DefaultScope.get_current_instance()
    if current is None or current.scope_name != 'mmdet3d':
        DefaultScope.get_instance(f'mmdet3d-{datetime.now()}', scope_name='mmdet3d')


with quick_imports():
    _problem = bev_problem()
    if _problem is None:
        for _module in _MODULES:
            importlib.import_module(f'hybrid_depth.{_module}')

if _problem is not None and not _problem.startswith('not installed'):
    warnings.warn(
        f'BEV models and data sets are disabled; mmdet3d or mmcv is {_problem}. Set up again '
        'with `rm -r .venv && make setup`, or see `python -m hybrid_depth.env`.',
        stacklevel=2,
    )
