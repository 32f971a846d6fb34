"""The released files of ManyDepth.

Layout: docs/reference/manydepth.md, "Released files".
"""

from __future__ import annotations

from pathlib import Path

from .conversion import Conversion, ReleaseError
from .depth import convert_folder, read_folder
from .manydepth_keys import DEPTH_RANGE, FAR, FILES, NEAR, convert_manydepth_folder

_CONFIG = '_base_/models/manydepth_r18.py'
_WIDE = 'layer1.1.0.conv3.weight'
_REDUCE = 'reduce_conv.0.weight'


def convert_manydepth(source: Path) -> Conversion:
    """A released ManyDepth folder, such as KITTI_MR, with ResNet-18 or 50 for the matching encoder.

    Raises:
        FileNotFoundError: no such folder, or a file is not in it.
        ReleaseError: files of another network, or no range of depths.
    """
    files = read_folder(source, FILES, required=FILES)
    conversion = convert_folder(source, files, convert_manydepth_folder)
    conversion.config = _CONFIG
    official = files['encoder.pth']
    if _REDUCE not in official:
        raise ReleaseError(
            f'{source}: expected a matching encoder ({_REDUCE}) in encoder.pth, got keys such as '
            f'{list(official)[:3]}; for Monodepth2 the kind is monodepth2'
        )
    channels, inputs = official[_REDUCE].shape[:2]
    if inputs - channels != 96:
        conversion.overrides['model.cost_volume.num_bins'] = inputs - channels
    if _WIDE in official:
        conversion.overrides['model.encoder.depth'] = 50
    near, far = (float(official[key]) for key in (NEAR, FAR))
    conversion.facts['depth_range'] = (near, far)
    conversion.derived[DEPTH_RANGE] = f'{NEAR} {near:g} and {FAR} {far:g}'
    return conversion
