"""Checks of the order of colour channels: of the weights, and of the images of the pipeline."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from ..checkpoints import load_checkpoint_file
from ..checkpoints.strict_load import require_channel_order
from ..checkpoints.weights import part_of, weights_of
from ..findings import NotCheckedError, fault
from .case import Case
from .network_images import network_images

# In the right order, images differ by the interpolation only; in the other, by their colours. Half
# separates them whatever the image, unless it is grey.
_HALF = 0.5
_COLOURFUL = 1.0  # mean difference of red and blue, of 255; below, the image is grey
# Fine-tuned first layers stay close to their initial weights; the order of their channels is that
# which they are closer to. Both are equally close for weights that were trained from scratch.
_CLOSER = 0.7


def check_weight_channels(case: Case) -> str:
    """Compare `channel_order` of the image backbone with the pretrained weights and the checkpoint.

    Raises:
        CheckpointMismatchError, ConventionError: the weights need another order.
        NotCheckedError: the model has no channel order, or nothing is known of the weights.
    """
    backbone = case.cfg.model.get('img_backbone')
    if backbone is None:
        raise NotCheckedError('the model has no image backbone with channel_order')
    order = backbone.get('channel_order', 'rgb')
    pretrained = str((backbone.get('init_cfg') or {}).get('checkpoint', ''))
    if 'caffe' in pretrained and order == 'rgb':
        raise fault(
            f"channel_order 'bgr' for {pretrained}, as Caffe models are trained",
            "'rgb'",
            "set model.img_backbone.channel_order='bgr' with the mean and std of these weights",
        )
    done = [f'{pretrained}: {order}'] if 'caffe' in pretrained else []
    if case.checkpoint is not None:
        recorded = case.checkpoint.get('meta', {}).get('input_channel_order')
        shown = SimpleNamespace(img_backbone=SimpleNamespace(channel_order=order))
        require_channel_order(shown, recorded, case.source)
        done += [f'the checkpoint is for {recorded}'] if recorded else []
        if Path(pretrained).is_file():
            done.append(_compare_first_layers(case, pretrained))
    if not done:
        raise NotCheckedError('nothing is recorded of the order of the weights')
    return ', '.join(done)


def _compare_first_layers(case: Case, pretrained: str) -> str:
    """Raises ConventionError if the checkpoint's first layer has its channels reversed."""
    given = _first_layer(case.weights, case.source)
    initial = _first_layer(load_checkpoint_file(pretrained), pretrained)
    if given is None or initial is None or given.shape != initial.shape:
        return 'first layers not compared'
    straight = float((given - initial).norm())
    reversed_ = float((given - initial.flip(1)).norm())
    if reversed_ < _CLOSER * straight:
        raise fault(
            f'the first layer in the channel order of {pretrained}',
            f'one that is closer to it reversed ({reversed_:.2f} instead of {straight:.2f})',
            'the weights were converted between RGB and BGR: set the other channel_order',
        )
    return f'first layer as in {Path(pretrained).name}'


def _first_layer(content: dict, source: str) -> torch.Tensor | None:
    weights = part_of(weights_of(content, source, ()), ('conv1.weight',))
    layer = weights.get('conv1.weight')
    return None if layer is None or layer.ndim != 4 or layer.shape[1] != 3 else layer.float()


def check_image_channels(case: Case) -> str:
    """Compare the colours of the network's images with those of the files.

    Raises:
        ConventionError: red and blue are exchanged, or values are not in [0, 1].
        NotCheckedError: grey images, or a pipeline without `inputs`.
    """
    colourful = False
    for part, views in network_images(case).items():
        straight, swapped = (
            float(np.mean([view.difference(order) for view in views])) for order in ('rgb', 'bgr')
        )
        brightest = max(view.network.max() for view in views)
        if not 1 < brightest < 255.5:  # of 255; a sum of rounding errors is left
            raise fault(
                f'images of {part} in [0, 1]',
                f'values up to {brightest / 255:.3g}',
                'divide 8-bit images by 255 and leave the normalisation to the backbone',
            )
        colour = float(np.mean([view.colour for view in views]))
        colourful |= colour > _COLOURFUL
        if colour > _COLOURFUL and swapped < _HALF * straight:
            raise fault(
                f'RGB images of {part}, as every backbone takes',
                f'BGR (differing from the files by {straight:.1f} of 255, reversed by '
                f'{swapped:.1f})',
                'load images with LoadMultiViewImages, or reverse the channels in your transform; '
                'a backbone of BGR weights has channel_order',
            )
    if not colourful:
        raise NotCheckedError('the images are grey')
    return 'images are RGB in [0, 1]'
