"""Hybrid-Depth toolkit: swap any depth encoder under any camera-only BEV detector.

Importing the package imports neither torch nor mmdet3d and registers nothing;
``hybrid_depth.modules`` registers everything that is installed.
"""

from . import mmcv_ext
from .version import __version__

__all__ = ['__version__', 'register_all_modules']

mmcv_ext.install()


def register_all_modules(init_default_scope: bool = True) -> None:
    """Register all models, data sets, transforms, metrics and hooks, as mmdet3d's function does.

    Args:
        init_default_scope: make ``mmdet3d`` the default scope of the registries.
    """
    from . import modules

    if init_default_scope:
        modules.init_default_scope()
