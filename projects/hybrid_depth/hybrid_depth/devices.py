"""Devices of models."""

from __future__ import annotations

import torch

from .errors import HybridDepthError
from .folding import fold_batch_norms


class DeviceError(HybridDepthError, RuntimeError):
    """Device that PyTorch cannot use on this machine."""


def for_inference(model: torch.nn.Module, device: str | torch.device) -> torch.nn.Module:
    """The model on a device, in evaluation mode, its BatchNorms folded into convolutions.

    Raises:
        DeviceError: PyTorch does not know the device, or cannot use it on this machine.
    """
    try:
        model = model.to(device).eval()
    except (AssertionError, RuntimeError) as error:  # AssertionError: PyTorch without CUDA
        raise DeviceError(
            f'expected a device that PyTorch can use, such as cpu or cuda, got {device}: {error}\n'
            'python -m hybrid_depth.env reports the devices of this machine.'
        ) from error
    fold_batch_norms(model)
    return model
