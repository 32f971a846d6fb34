"""Unwrapping of models in distributed training."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside a distributed wrapper; other models are returned unchanged."""
    return model.module if is_model_wrapper(model) else model
