"""Optimisers that list parameters more than once."""

from __future__ import annotations

from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class RepeatedParametersConstructor(DefaultOptimWrapperConstructor):
    """Optimiser that lists the parameters of some modules twice, for parity with Mono-ViFI.

    Their gradients count twice in the norm, are clipped twice, and they are stepped twice in each
    step (docs/reference/mono_vifi.md, "Optimisation"). On a GPU this needs
    `foreach=False`: the steps of one parameter have to follow each other.

    Args:
        optim_wrapper_cfg: see mmengine.
        paramwise_cfg: dict(repeated=(names of modules, ...)).

    Raises:
        ValueError: no module of such a name, or other options.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """See mmengine."""
        model = getattr(model, 'module', model)
        options, modules = dict(self.paramwise_cfg), dict(model.named_modules())
        repeated = options.pop('repeated', ())
        unknown = [name for name in repeated if name not in modules]
        if unknown or options or not repeated:
            raise ValueError(
                'RepeatedParametersConstructor: expected paramwise_cfg=dict(repeated=(names of '
                f'modules)) alone, got {self.paramwise_cfg}; unknown are {unknown}'
            )
        again = [p for name in repeated for p in modules[name].parameters()]
        listed = [p for p in (*model.parameters(), *again) if p.requires_grad]
        optimizer = OPTIMIZERS.build({**self.optimizer_cfg, 'params': listed})
        return OPTIM_WRAPPERS.build({**self.optim_wrapper_cfg, 'optimizer': optimizer})
