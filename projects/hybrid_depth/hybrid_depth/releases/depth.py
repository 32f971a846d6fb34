"""Converters of the official Monodepth2 and Hybrid-depth files.

Layouts: docs/reference/monodepth2.md, "Released files", and docs/reference/hybrid_depth.md,
"Released files".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checkpoints.lightning_file import load_lightning_file
from ..checkpoints.safe_load import load_checkpoint_file
from .conversion import Conversion, ReleaseError, split_scalars
from .hybrid_encoder_keys import TOKENS
from .monodepth2_keys import (
    DECODER,
    ENCODER,
    POSE,
    POSE_ENCODER,
    Converted,
    convert_hybrid_folder,
    convert_monodepth2_folder,
    convert_stage1_keys,
)

FOLDER_FILES = (ENCODER, DECODER, POSE_ENCODER, POSE)
_UNREAD = {
    'adam.pth': "the optimiser's state",
    'predictive_mask.pth': 'network of a training option',
}
_FIRST_PROJECTION = 'depth_head.projects.0.weight'
_MONODEPTH2_CONFIG = '_base_/models/monodepth2_r18.py'
_HYBRID_CONFIG = '_base_/models/monodepth2_hybrid.py'
_STAGE1_CONFIG = '_base_/models/language_alignment.py'


def convert_monodepth2(source: Path) -> Conversion:
    """Convert an official Monodepth2 folder, such as mono_640x192, with any ResNet and pose net.

    Raises:
        FileNotFoundError: the folder, encoder or decoder does not exist.
        ReleaseError: files of another network.
    """
    files = read_folder(source)
    conversion = convert_folder(source, files, convert_monodepth2_folder)
    conversion.config = _MONODEPTH2_CONFIG
    depth = resnet_depth(files[ENCODER])
    if depth != 18:
        conversion.overrides['model.encoder.depth'] = depth
    conversion.overrides |= _pose_overrides(files)
    return conversion


def convert_hybrid_stage2(source: Path) -> Conversion:
    """Convert an official Hybrid-depth stage 2 folder: encoder, DPT head and pose nets.

    Raises:
        FileNotFoundError: the folder, encoder or decoder does not exist.
        ReleaseError: files of another network, or of one without text logits.
    """
    files = read_folder(source)
    words = sum(key.startswith(TOKENS) for key in files[ENCODER])
    projection = files[DECODER].get(_FIRST_PROJECTION)
    inputs = None if projection is None else projection.shape[1]
    fused = _fused_channels(files[ENCODER])
    if not words or inputs != fused + words:
        raise ReleaseError(
            f'{source}: expected depth tokens in {ENCODER}, and a decoder whose input channels are '
            f'those of the features ({fused}) and one per token, got {words} tokens and {inputs}; '
            'runs without --use_depth_text_align --cat_depth_text_logic are not supported'
        )
    conversion = convert_folder(source, files, convert_hybrid_folder)
    conversion.config = _HYBRID_CONFIG
    conversion.overrides = {'model.encoder.text.num_tokens': words, **_pose_overrides(files)}
    conversion.derived['encoder.language.prompts.tokens'] = (
        f'{words} rows {TOKENS}0 ... {words - 1}, stacked by number'
    )
    return conversion


def convert_hybrid_stage1(source: Path) -> Conversion:
    """Convert the encoder of the official `stage1.ckpt`, the initialisation of stage 2.

    Raises:
        FileNotFoundError: the file does not exist.
        UnsafeCheckpointError: it has more than weights and settings of a Lightning run.
        ReleaseError: it has other weights.
    """
    checkpoint = load_lightning_file(source)
    tensors, _ = split_scalars(checkpoint.get('state_dict', {}), f'{source}, state_dict')
    state, dropped = _renamed(convert_stage1_keys, tensors, source)
    others = {key: 'of the training run' for key in checkpoint if key != 'state_dict'}
    return Conversion(state, [source], _STAGE1_CONFIG, dropped=dropped | others)


def read_folder(
    source: Path,
    names: Sequence[str] = FOLDER_FILES,
    required: Sequence[str] = (ENCODER, DECODER),
) -> dict[str, dict[str, Any]]:
    """Files of a released folder, by name.

    Raises:
        FileNotFoundError: no such folder, or a required file is not in it.
    """
    if not source.is_dir():
        found = 'a file: unpack it first' if source.is_file() else 'no such folder'
        raise FileNotFoundError(f'{source}: expected the released folder, got {found}')
    files = {
        name: load_checkpoint_file(source / name) for name in names if (source / name).is_file()
    }
    absent = [name for name in required if name not in files]
    if absent:
        wanted = ' and '.join(required)
        raise FileNotFoundError(f'{source}: expected {wanted}, got no {absent}')
    return files


def convert_folder(
    source: Path, files: Mapping[str, Mapping], rule: Callable[[Mapping], Converted]
) -> Conversion:
    """Files of `read_folder`, renamed by a rule.

    Raises:
        ReleaseError: files of another network.
    """
    settings = {}
    for name, official in files.items():
        settings |= split_scalars(official, f'{source}/{name}')[1]
    state, dropped = _renamed(rule, files, source)
    conversion = Conversion(state, [source / name for name in files], config='', dropped=dropped)
    if {'height', 'width'} <= set(settings):
        conversion.facts['image_size'] = (int(settings['height']), int(settings['width']))
    for path in sorted(source.glob('*.pth')):
        if path.name not in files:
            reason = _UNREAD.get(path.name, 'not part of the release')
            conversion.notes.append(f'not read: {path.name}, {reason}')
    return conversion


def _renamed(rule: Callable[[Mapping], Converted], official: Mapping, source: Path) -> Converted:
    try:
        return rule(official)
    except KeyError as error:
        raise ReleaseError(
            f'{source}: {error.args[0]}. Is it a release of another kind?'
        ) from error


def _fused_channels(official: Mapping[str, Tensor]) -> int:
    """Sum of the channels of a DINO map and an aligned CLIP map, 0 if one of them is missing."""
    dino, clip = (official.get(k) for k in ('dinov2.norm.weight', 'clip_align_conv.3.bias'))
    return 0 if dino is None or clip is None else len(dino) + len(clip)


def resnet_depth(official: Mapping[str, Tensor]) -> int:
    """Depth of a torchvision ResNet from its keys; errors as of the callers."""
    blocks = {key.split('.')[2] for key in official if key.startswith('encoder.layer3.')}
    wide = 'encoder.layer1.0.conv3.weight' in official
    depths = {(2, False): 18, (6, False): 34, (6, True): 50, (23, True): 101, (36, True): 152}
    depth = depths.get((len(blocks), wide))
    if depth is None:
        raise ReleaseError(
            f"expected a ResNet's keys (encoder.layer3...), got {list(official)[:3]}; for "
            'Hybrid-depth the kind is hybrid-depth-stage2'
        )
    return depth


def _pose_overrides(files: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Any]:
    """Config overrides for pose nets other than a separate ResNet-18."""
    if POSE not in files:  # trained on stereo pairs
        return {'model.pose_net': None, 'model.sources': ('s',)}
    if 'pose_conv.weight' in files[POSE]:
        return {'model.pose_net': dict(_delete_=True, type='PoseCNN')}
    if POSE_ENCODER not in files:
        channels = files[POSE]['net.0.weight'].shape[1]
        shared = dict(_delete_=True, type='SharedPoseNet', in_channels=channels)
        return {'model.pose_net': shared}
    depth = resnet_depth(files[POSE_ENCODER])
    return {} if depth == 18 else {'model.pose_net.depth': depth}
