"""Names of the official ManyDepth folder in terms of `ManyDepth`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .hybrid_encoder_keys import convert_encoder_keys
from .monodepth2_keys import DROPPED as RESNET_DROPPED
from .monodepth2_keys import Converted, convert_resnet_keys

FILES = (
    'encoder.pth',
    'depth.pth',
    'mono_encoder.pth',
    'mono_depth.pth',
    'pose_encoder.pth',
    'pose.pth',
)
NEAR, FAR = 'min_depth_bin', 'max_depth_bin'
DEPTH_RANGE = 'matching.depth_range'
_PREMATCHING = 'prematching_conv.'
_RENAMED = {
    'layer0.0.': 'encoder.encoder.conv1.',
    'layer0.1.': 'encoder.encoder.bn1.',
    'layer1.1.': 'encoder.encoder.layer1.',
    'layer2.': 'encoder.encoder.layer2.',
    'layer3.': 'encoder.encoder.layer3.',
    'layer4.': 'encoder.encoder.layer4.',
    'reduce_conv.': 'matching.reduce_conv.',
    _PREMATCHING: f'matching.{_PREMATCHING}',
}
_DROPPED = {
    **{key: RESNET_DROPPED[key] for key in ('height', 'width', 'use_stereo')},
    'backprojector.': 'pixel grids, which are computed here',
    NEAR: f'part of {DEPTH_RANGE}',
    FAR: f'part of {DEPTH_RANGE}',
}
_STUDENT_REDUCE = 'reduce_conv.0.0.'
_STUDENT_DROPPED = {
    **{part: 'never run' for part in (_PREMATCHING, 'reduce_conv.1.')},
    **{part: 'another name of a tensor that is read' for part in ('layer', 'dino_norm.')},
    'backprojector': 'pixel grids, which are computed here',
    NEAR: f'part of {DEPTH_RANGE}',
    FAR: f'part of {DEPTH_RANGE}',
}
_OTHERS = {
    'depth.pth': 'decoder.',
    'mono_encoder.pth': 'teacher.encoder.',
    'mono_depth.pth': 'teacher.decoder.',
    'pose_encoder.pth': 'teacher.pose_net.encoder.',
    'pose.pth': 'teacher.pose_net.decoder.',
}


def convert_matching_encoder_keys(official: Mapping, prematching_conv: bool = False) -> Converted:
    """Rename the entries of `encoder.pth`, the matching encoder.

    Args:
        official: its tensors and plain entries, the ends of the depth range among them.
        prematching_conv: keep the convolution that never runs.

    Raises:
        KeyError: an entry is neither known nor known to be useless, or the range is missing.
    """
    depth_range = _depth_range(official)
    reasons = dict(_DROPPED)
    if not prematching_conv:
        reasons[_PREMATCHING] = 'never run'
    converted, dropped, unknown = {}, {}, []
    for key, value in official.items():
        reason = next((why for part, why in reasons.items() if key.startswith(part)), None)
        old = next((part for part in _RENAMED if key.startswith(part)), None)
        if reason is not None:
            dropped[key] = reason
        elif old is not None:
            converted[_RENAMED[old] + key.removeprefix(old)] = value
        else:
            unknown.append(key)
    if unknown:
        raise KeyError(f'encoder.pth: not part of an official matching encoder: {unknown[:10]}')
    return converted | {DEPTH_RANGE: depth_range}, dropped


def convert_hybrid_student_keys(official: Mapping) -> Converted:
    """Rename the entries of the `encoder.pth` of Hybrid-depth's multi-frame student.

    The file repeats its tensors under other names; those of stage 2 are read
    (docs/reference/manydepth.md, "Hybrid-depth's student").

    Returns:
        The part of the state dict of a `ManyDepth` that is encoder and cost volume, and the
        official keys left out with the reason.

    Raises:
        KeyError: an entry is neither known nor known to be useless, or the range is missing.
    """
    own, matching, dropped = {}, {}, {}
    for key, value in official.items():
        reason = next((why for part, why in _STUDENT_DROPPED.items() if key.startswith(part)), None)
        if reason is not None:
            dropped[key] = reason
        elif key.startswith(_STUDENT_REDUCE):
            matching['matching.reduce_conv.0.' + key.removeprefix(_STUDENT_REDUCE)] = value
        else:
            own[key] = value
    matching[DEPTH_RANGE] = _depth_range(official)
    kept, left_out = convert_encoder_keys(own)
    kept = {f'encoder.{key}': value for key, value in kept.items()}
    return kept | matching, dropped | left_out


def _depth_range(official: Mapping) -> Tensor:
    if not {NEAR, FAR} <= set(official):
        raise KeyError(
            f'encoder.pth: expected the depth range of its cost volume, {NEAR} and {FAR}, got none'
        )
    return torch.tensor([float(official[NEAR]), float(official[FAR])], dtype=torch.float64)


def convert_manydepth_folder(
    files: Mapping[str, Mapping[str, Tensor]], prematching_conv: bool = False
) -> Converted:
    """Rename the entries of a released ManyDepth folder.

    Layout: docs/reference/manydepth.md, "Released files".

    Args:
        files: all of `FILES`, with their plain entries.
        prematching_conv: see `convert_matching_encoder_keys`.

    Returns:
        The state dict of a `ManyDepth` with `ResNetDepthEncoder`s and `Monodepth2Decoder`s, and the
        keys left out, as 'file:key', with the reason.

    Raises:
        KeyError: a file is missing, or an entry is of no known name.
    """
    if set(files) != set(FILES):
        raise KeyError(f'expected {FILES}, got {sorted(files)}')
    converted, left_out = convert_matching_encoder_keys(files['encoder.pth'], prematching_conv)
    dropped = {f'encoder.pth:{key}': reason for key, reason in left_out.items()}
    for file, prefix in _OTHERS.items():
        rule = convert_resnet_keys if file.endswith('encoder.pth') else lambda kept: (kept, {})
        kept, left_out = rule(files[file])
        converted |= {prefix + key: value for key, value in kept.items()}
        dropped |= {f'{file}:{key}': reason for key, reason in left_out.items()}
    return converted, dropped
