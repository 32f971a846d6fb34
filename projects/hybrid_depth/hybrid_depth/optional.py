"""Which optional packages are installed, and whether they work."""

import importlib
from importlib.util import find_spec

BEV_PACKAGES = ('mmcv', 'mmdet', 'mmdet3d')


def absent_bev_packages() -> list[str]:
    """Names of the packages that BEV models need and that are not installed; imports nothing."""
    return [name for name in BEV_PACKAGES if find_spec(name) is None]


def bev_problem() -> str | None:
    """Why BEV models cannot be used here, or None when they can; imports mmdet3d.

    Returns:
        'not installed: ...' where a package is absent; 'broken: ...' where one is there but does
        not import (most often compiled mmcv ops that were built for another torch).
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
