"""Mixed precision in bfloat16, on CPUs too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """mmengine's `OptimWrapper` with forward passes under bfloat16 autocast.

    bfloat16 has float32's range, so that losses need no scaling and checkpoints hold nothing more.
    mmengine's `AmpOptimWrapper` (float16 by default) wants a GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """What `model.train_step` runs its forward pass in."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
