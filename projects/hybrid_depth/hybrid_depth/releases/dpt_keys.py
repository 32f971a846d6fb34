"""Conversion of official Hybrid-depth decoder keys to `DPTDecoder`."""

import re
from collections.abc import Mapping

from torch import Tensor

PREFIX = 'depth_head.'
RENAMED = (
    (r'scratch\.layer([1-4])_rn', 'reduces.{}'),
    (r'scratch\.refinenet([1-4])', 'fusions.{}'),
    (r'resConfUnit1', 'skip_unit'),
    (r'resConfUnit2', 'unit'),
    (r'resize_layers', 'resizes'),
    (r'scratch\.output_conv1', 'neck'),
    (r'scratch\.output_conv2', 'head'),
)
DROPPED = {
    'projects.4.': 'not used: the constructor of the release appends one level too many',
    'scratch.refinenet4.resConfUnit1.': 'not used: the coarsest level has no skip map',
    'scratch.output_conv.': 'not used: a left-over head in stage 1 files',
}


def convert_decoder_keys(
    official: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Rename the entries of an official `depth.pth`.

    Layout: docs/reference/hybrid_depth.md, "Released files".

    Returns:
        State dict of a `DPTDecoder`, and dropped official keys with the reason.

    Raises:
        KeyError: an entry does not start with 'depth_head.'.
    """
    unexpected = [key for key in official if not key.startswith(PREFIX)]
    if unexpected:
        raise KeyError(f'not part of an official Hybrid-depth decoder: {unexpected[:10]}')
    converted, dropped = {}, {}
    for key, value in official.items():
        name = key.removeprefix(PREFIX)
        reason = next((why for part, why in DROPPED.items() if name.startswith(part)), None)
        if reason is None:
            converted[_rename(name)] = value
        else:
            dropped[key] = reason
    return converted, dropped


def _rename(name: str) -> str:
    for pattern, new in RENAMED:
        # The release counts levels from one.
        name = re.sub(pattern, lambda m, n=new: n.format(*(int(g) - 1 for g in m.groups())), name)
    return name
