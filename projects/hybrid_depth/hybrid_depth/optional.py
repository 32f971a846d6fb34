"""Which optional packages are installed, asked without importing them."""

from importlib.util import find_spec

BEV_PACKAGES = ('mmcv', 'mmdet', 'mmdet3d')


def absent_bev_packages() -> list[str]:
    """Names of the packages of the ``[bev]`` extra that are not installed."""
    return [name for name in BEV_PACKAGES if find_spec(name) is None]
