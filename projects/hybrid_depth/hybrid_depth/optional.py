"""Availability of optional packages."""

import importlib
from importlib.util import find_spec

from .errors import HybridDepthError

BEV_PACKAGES = ('mmcv', 'mmdet', 'mmdet3d')


class AbsentPackageError(HybridDepthError, ImportError):
    """Optional package that is not installed."""


def absent_bev_packages() -> list[str]:
    """Names of packages required by BEV models that are not installed; imports nothing."""
    return [name for name in BEV_PACKAGES if find_spec(name) is None]


def bev_problem() -> str | None:
    """Reason why BEV models cannot be used, or None; imports mmdet3d.

    Returns:
        'not installed: ...' if a package is absent; 'broken: ...' if an installed package cannot be
        imported (most often compiled mmcv ops built for another torch).
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


def require_package(package: str, command: str) -> None:
    """Raise AbsentPackageError unless a package is installed; imports nothing.

    Args:
        package: name as in ``import``.
        command: command that installs it.
    """
    if find_spec(package) is None:
        raise AbsentPackageError(
            f'expected the optional package {package}, got none; install it with: {command}'
        )
