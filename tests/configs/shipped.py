"""The shipped configs and what their folders say about them."""

import functools
from pathlib import Path

import yaml
from mmengine.config import Config

from tests.conftest import ROOT

CONFIGS = ROOT / 'configs'
METHODS = (
    'bevdet',
    'bevdet4d',
    'embodied',
    'fbbev',
    'hybrid_depth',
    'manydepth',
    'mono_vifi',
    'monodepth2',
)
#: All but the parts in `_base_`, relative to the repository.
NAMES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in CONFIGS.rglob('*.py')
    if '_base_' not in path.relative_to(CONFIGS).parts
)


@functools.cache
def read(name: str) -> Config:
    """A config by its path in the repository."""
    return Config.fromfile(ROOT / name)


@functools.cache
def metafile(method: str) -> dict:
    """Contents of a method's `metafile.yml`."""
    return yaml.safe_load(Path(CONFIGS, method, 'metafile.yml').read_text())
