"""Models behind wrappers for distributed training."""

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside a wrapper for distributed training; any other model as it is."""
    return model.module if is_model_wrapper(model) else model
