"""BatchNorm folded into the convolution before it, for inference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def _pairs(model: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """Parent and names of convolutions and of the BatchNorm that follows each.

    As in mmcv and mmdetection, a BatchNorm listed right after a convolution of the same parent
    takes that one's output. Derived classes, such as timm's with an activation inside, stay.
    """
    for parent in model.modules():
        for (name, conv), (norm_name, norm) in pairwise(parent._modules.items()):
            if (
                type(conv) is nn.Conv2d
                and type(norm) in _NORMS
                and norm.track_running_stats
                and norm.num_features == conv.out_channels
            ):
                yield parent, name, norm_name


@torch.no_grad()
def fold_batch_norms(model: nn.Module) -> int:
    """Fold each BatchNorm into the convolution before it; outputs change by rounding.

    The model must be in evaluation mode and cannot be trained afterwards; its state has other keys.

    Returns:
        Number of folded BatchNorms.

    Raises:
        ValueError: the model is in training mode.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()).eval()
        >>> fold_batch_norms(model), [type(part).__name__ for part in model]
        (1, ['Conv2d', 'Identity', 'ReLU'])
    """
    if model.training:
        raise ValueError('fold_batch_norms: expected a model in evaluation mode; call model.eval()')
    found = list(_pairs(model))
    for parent, name, norm_name in found:
        conv, norm = parent._modules[name], parent._modules[norm_name]
        parent._modules[name] = fuse_conv_bn_eval(conv, norm)
        parent._modules[norm_name] = nn.Identity()
    return len(found)


@contextmanager
def folded_batch_norms(model: nn.Module) -> Iterator[None]:
    """`fold_batch_norms` for the block; then the model is as before."""
    kept = [
        (parent, part, parent._modules[part]) for parent, *parts in _pairs(model) for part in parts
    ]
    fold_batch_norms(model)
    try:
        yield
    finally:
        for parent, name, module in kept:
            parent._modules[name] = module
