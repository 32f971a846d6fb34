"""Conversion of official Hybrid-depth encoder keys to `HybridDepthEncoder`."""

from collections.abc import Mapping

import torch
from torch import Tensor

TOKENS = 'extra_tkns_learnables_depth.'
RENAMED = {
    'dinov2.': 'dino.vit.',
    'clip.visual.': 'clip.visual.',
    'clip_align_conv.': 'align.',
    'clip.': 'language.tower.',
}
DROPPED = {
    'dinov2.mask_token': 'only used by DINOv2 pretraining',
    'clip.logit_scale': 'the release scales its logits by 100 / sqrt(N) instead',
    'clip.visual.attnpool.': 'the attention pool is not used',
    'height': 'training size of the release, not a weight',
    'width': 'training size of the release, not a weight',
    'use_stereo': 'training option, not a weight',
}


def convert_encoder_keys(
    official: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Rename the entries of an official `encoder.pth`.

    Layout: docs/reference/hybrid_depth.md, "Released files".

    Args:
        official: the file's dictionary; for `stage1.ckpt` the entries under `state_dict` without
            the prefix 'model.' and without the depth head.

    Returns:
        State dict of a `HybridDepthEncoder`, and dropped official keys with the reason.

    Raises:
        KeyError: an unexpected entry.
    """
    converted, dropped, tokens, unknown = {}, {}, {}, []
    for key, value in official.items():
        reason = next((why for part, why in DROPPED.items() if key.startswith(part)), None)
        old = next((part for part in RENAMED if key.startswith(part)), None)
        if reason is not None:
            dropped[key] = reason
        elif key.startswith(TOKENS):
            tokens[int(key.removeprefix(TOKENS))] = value
        elif old is not None:
            converted[RENAMED[old] + key.removeprefix(old)] = value
        else:
            unknown.append(key)
    if unknown:
        raise KeyError(f'not part of an official Hybrid-depth encoder: {unknown[:10]}')
    if tokens:
        stacked = torch.cat([tokens[i] for i in range(len(tokens))])
        converted['language.prompts.tokens'] = stacked
    return converted, dropped
