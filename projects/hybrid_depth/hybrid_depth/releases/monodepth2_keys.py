"""Conversion of official Monodepth2 and Hybrid-depth keys to `Monodepth2`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from .dpt_keys import convert_decoder_keys as convert_dpt_keys
from .hybrid_encoder_keys import convert_encoder_keys as convert_hybrid_keys

Converted = tuple[dict[str, Tensor], dict[str, str]]

ENCODER, DECODER, POSE_ENCODER, POSE = 'encoder.pth', 'depth.pth', 'pose_encoder.pth', 'pose.pth'
DROPPED = {
    'encoder.fc.': 'the classifier is not used',
    'height': 'training size of the release, not a weight',
    'width': 'training size of the release, not a weight',
    'use_stereo': 'training option, not a weight',
}
STAGE1_PREFIX, STAGE1_HEAD = 'model.', 'depth_head.'


def convert_resnet_keys(official: Mapping[str, Tensor]) -> Converted:
    """Drop the unused entries of an official ResNet file (`encoder.pth`, `pose_encoder.pth`).

    Returns:
        State dict of a `ResNetDepthEncoder` or `PoseResNetEncoder`, and dropped official keys with
        the reason.
    """
    converted, dropped = {}, {}
    for key, value in official.items():
        reason = next((why for part, why in DROPPED.items() if key.startswith(part)), None)
        if reason is None:
            converted[key] = value
        else:
            dropped[key] = reason
    return converted, dropped


def _unchanged(official: Mapping[str, Tensor]) -> Converted:
    return dict(official), {}


def convert_monodepth2_folder(files: Mapping[str, Mapping[str, Tensor]]) -> Converted:
    """Rename the entries of an official Monodepth2 folder.

    Layout: docs/reference/monodepth2.md, "Released files".

    Args:
        files: 'encoder.pth' and 'depth.pth'; with a pose net 'pose.pth' and, if it is a ResNet,
            'pose_encoder.pth'.

    Returns:
        State dict of a `Monodepth2` with `ResNetDepthEncoder` and `Monodepth2Decoder`, and dropped
        keys, as 'file:key', with the reason.

    Raises:
        KeyError: encoder or decoder is missing, or a file has an unexpected name.
    """
    return _convert(files, convert_resnet_keys, _unchanged)


def convert_hybrid_folder(files: Mapping[str, Mapping[str, Tensor]]) -> Converted:
    """Rename the entries of an official Hybrid-depth stage 2 folder.

    Layout: docs/reference/hybrid_depth.md, "Released files".
    Arguments, result and errors as of `convert_monodepth2_folder`, for a `Monodepth2` with
    `HybridDepthEncoder` and `DPTDecoder`.
    """
    return _convert(files, convert_hybrid_keys, convert_dpt_keys)


def convert_stage1_keys(official: Mapping[str, Tensor]) -> Converted:
    """Rename the entries under `state_dict` of an official `stage1.ckpt`.

    Layout: docs/reference/hybrid_depth.md, "Released files".

    Returns:
        State dict of a `LanguageAlignment`, and dropped official keys with the reason.

    Raises:
        KeyError: an entry does not start with 'model.', or is not part of the encoder or the head.
    """
    unexpected = [key for key in official if not key.startswith(STAGE1_PREFIX)]
    if unexpected:
        raise KeyError(f'not part of an official Hybrid-depth stage 1: {unexpected[:10]}')
    encoder = {key.removeprefix(STAGE1_PREFIX): value for key, value in official.items()}
    head = [key for key in encoder if key.startswith(STAGE1_HEAD)]
    kept, dropped = convert_hybrid_keys({k: v for k, v in encoder.items() if k not in head})
    dropped |= dict.fromkeys(head, 'the depth head is not trained in stage 1')
    return (
        {f'encoder.{key}': value for key, value in kept.items()},
        {STAGE1_PREFIX + key: reason for key, reason in dropped.items()},
    )


def _convert(
    files: Mapping[str, Mapping[str, Tensor]],
    encoder_rule: Callable[[Mapping[str, Tensor]], Converted],
    decoder_rule: Callable[[Mapping[str, Tensor]], Converted],
) -> Converted:
    known = (ENCODER, DECODER, POSE_ENCODER, POSE)
    if not {ENCODER, DECODER} <= set(files) <= set(known):
        raise KeyError(f'expected {known[:2]}, optionally {known[2:]}, got {sorted(files)}')
    is_cnn = 'pose_conv.weight' in files.get(POSE, {})
    rules = {
        ENCODER: ('encoder.', encoder_rule),
        DECODER: ('decoder.', decoder_rule),
        POSE_ENCODER: ('pose_net.encoder.', convert_resnet_keys),
        POSE: ('pose_net.' if is_cnn else 'pose_net.decoder.', _unchanged),
    }
    converted, dropped = {}, {}
    for file, official in files.items():
        prefix, rule = rules[file]
        kept, left_out = rule(official)
        converted |= {prefix + key: value for key, value in kept.items()}
        dropped |= {f'{file}:{key}': reason for key, reason in left_out.items()}
    return converted, dropped
