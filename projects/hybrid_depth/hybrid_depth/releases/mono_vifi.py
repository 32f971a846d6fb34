"""The released files of Mono-ViFI and of its frame interpolation.

Layout: docs/reference/mono_vifi.md, "Released files".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoints.safe_load import load_checkpoint_file
from .conversion import Conversion, ReleaseError, split_scalars
from .depth import resnet_depth
from .monodepth2_keys import convert_resnet_keys

_INTERPOLATION = 'VFI'
_WIDTHS = {24: 'small', 64: 'large'}  # of the first convolution
_PREFIXES = {
    'encoder': 'encoder.',
    'depth': 'decoder.',
    'encoder_mf': 'encoder_multi.',
    'depth_mf': 'decoder_multi.',
    'fusion_module': 'fusion.',
    'pose_encoder': 'pose_net.encoder.',
    'pose': 'pose_net.decoder.',
}
_SHARED = {'encoder_mf': 'encoder', 'depth_mf': 'depth'}
_HIGH = 320  # height from which other dilations and another size of the interpolation hold


def convert_ifrnet(source: Path) -> Conversion:
    """A released frame interpolation, large or small, for `FrameInterpolation` and `IFRNet`.

    Raises:
        FileNotFoundError: the file does not exist.
        ReleaseError: it has other weights.
    """
    official = load_checkpoint_file(source)
    if _INTERPOLATION not in official:
        raise ReleaseError(
            f'{source}: expected an entry {_INTERPOLATION!r}, got {list(official)[:5]}; is it '
            'a release of another kind?'
        )
    size, state = _interpolation(official, source)
    others = {key: 'not a weight' for key in official if key != _INTERPOLATION}
    state = {f'net.{key}': value for key, value in state.items()}
    return Conversion(state, [source], f'_base_/models/ifrnet_{size}.py', dropped=others)


def convert_mono_vifi(source: Path) -> Conversion:
    """A folder with a released Mono-ViFI model and one or both of its frame interpolations.

    The files are told apart by their entries. With one interpolation it serves for training and
    test.

    Raises:
        FileNotFoundError: no such folder.
        ReleaseError: no model or several, no interpolation, or files of another network.
    """
    if not source.is_dir():
        raise FileNotFoundError(
            f'{source}: expected a folder with the released model and its interpolation (two or '
            'three .pth files), got none'
        )
    model, interpolations, files = _read_folder(source)
    settings = {k: v for k, v in model.items() if not isinstance(v, Mapping)}
    absent = [part for part in _PREFIXES if part not in model]
    if absent:
        raise ReleaseError(f'{files[0]}: expected {list(_PREFIXES)}, got no {absent}')
    conversion = Conversion({}, files, '')
    conversion.dropped |= {key: 'training setting, not a weight' for key in settings}
    conversion.facts['image_size'] = (int(settings['height']), int(settings['width']))
    shared = [part for part, other in _SHARED.items() if _equal(model[part], model[other])]
    sharing = {0: 'none', 1: 'encoder', 2: 'all'}[len(shared)]
    if shared == ['depth_mf']:
        raise ReleaseError(f'{files[0]}: expected a shared encoder where the decoder is shared')
    for part, prefix in _PREFIXES.items():
        tensors, _ = split_scalars(model[part], f'{files[0]}, {part}')
        if part in shared:
            reason = f'equal to that of {_SHARED[part]}'
            conversion.dropped |= {f'{part}:{key}': reason for key in tensors}
            continue
        kept, dropped = convert_resnet_keys(tensors)
        conversion.state_dict |= {prefix + key: value for key, value in kept.items()}
        conversion.dropped |= {f'{part}:{key}': reason for key, reason in dropped.items()}
    conversion.config, overrides = _network(model['encoder'], conversion.facts['image_size'])
    if sharing != 'encoder':
        overrides['model.sharing'] = sharing
    conversion.overrides = overrides | _add_interpolations(conversion, interpolations)
    return conversion


def _read_folder(source: Path) -> tuple[dict, dict[str, dict[str, Tensor]], list[Path]]:
    """The model, the interpolations by size, and the files read, the model's first."""
    models, interpolations, others = {}, {}, []
    for path in sorted(source.glob('*.pth')):
        official = load_checkpoint_file(path)
        if 'fusion_module' in official:
            models[path] = official
        elif _INTERPOLATION in official:
            size, interpolations[size] = _interpolation(official, path)
            others.append(path)
    if len(models) != 1 or not interpolations:
        raise ReleaseError(
            f"{source}: expected one model (entry 'fusion_module') and one or two interpolations "
            f'(entry {_INTERPOLATION!r}), got {[p.name for p in models]} and '
            f'{[p.name for p in others]}'
        )
    (path, model), *_ = models.items()
    return model, interpolations, [path, *others]


def _interpolation(official: Mapping, path: Path) -> tuple[str, dict[str, Tensor]]:
    tensors, _ = split_scalars(official[_INTERPOLATION], f'{path}, {_INTERPOLATION}')
    first = tensors.get('encoder.pyramid1.0.0.weight')
    size = None if first is None else _WIDTHS.get(len(first))
    if size is None:
        raise ReleaseError(
            f'{path}: expected an IFRNet of {list(_WIDTHS.values())} size, got keys such as '
            f'{list(tensors)[:3]}'
        )
    return size, tensors


def _equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[key], other[key]) for key in one)


def _network(encoder: Mapping[str, Tensor], size: tuple[int, int]) -> tuple[str, dict[str, Any]]:
    """Config of the networks, and its changes."""
    if 'stem2.0.conv.weight' in encoder:
        high = {'model.encoder.dilations': 'high'} if size[0] >= _HIGH else {}
        return '_base_/models/mono_vifi_litemono.py', high
    if 'encoder.transition1.0.0.weight' in encoder:
        return '_base_/models/mono_vifi_dhrnet.py', {}
    depth = resnet_depth(encoder)
    changes = {} if depth == 18 else {'model.encoder.depth': depth}
    return '_base_/models/mono_vifi_r18.py', changes


def _add_interpolations(
    conversion: Conversion, found: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, Any]:
    """Add the weights of the interpolations; changes of the config."""
    parts = dict(interpolation='large', test_interpolation='small')
    overrides: dict[str, Any] = {}
    if len(found) == 1:
        (size,) = found
        parts = dict(interpolation=size)
        overrides['model.test_interpolation'] = None
        if size != 'large':
            overrides['model.interpolation.size'] = size
    for part, size in parts.items():
        weights = {f'{part}.{key}': value for key, value in found[size].items()}
        conversion.state_dict |= weights
        if conversion.facts['image_size'][0] >= _HIGH:
            overrides[f'model.{part}.working_size'] = (192, 320)
    return overrides
