"""Devices of models."""

from __future__ import annotations

import torch

from .errors import HybridDepthError


class DeviceError(HybridDepthError, RuntimeError):
    """Device that PyTorch cannot use on this machine."""


def for_inference(model: torch.nn.Module, device: str | torch.device) -> torch.nn.Module:
    """The model on a device, in evaluation mode.

    Raises:
        DeviceError: PyTorch does not know the device, or cannot use it on this machine.
    """
    try:
        return model.to(device).eval()
    except (AssertionError, RuntimeError) as error:  # AssertionError: PyTorch without CUDA
        raise DeviceError(
            f'expected a device that PyTorch can use, such as cpu or cuda, got {device}: {error}\n'
            'python -m hybrid_depth.env reports the devices of this machine.'
        ) from error
