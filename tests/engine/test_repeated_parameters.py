"""Parameters that an optimiser lists twice."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

import hybrid_depth.engine.repeated_parameters  # noqa: F401  registers the constructor


def wrapper(model, **paramwise):
    return build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='RepeatedParametersConstructor',
            optimizer=dict(type='SGD', lr=1.0),
            paramwise_cfg=paramwise,
        ),
    )


def test_repeated_modules_are_stepped_twice():
    model = nn.ModuleDict(dict(one=nn.Linear(1, 1), two=nn.Linear(1, 1)))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    wrapper(model, repeated=('one',)).step()
    for name, parameter in model.named_parameters():
        steps = 2 if name.startswith('one') else 1
        torch.testing.assert_close(parameter.detach(), before[name] - steps)


@pytest.mark.parametrize(
    'paramwise', [{}, dict(repeated=('three',)), dict(repeated=('one',), other=1)]
)
def test_bad_options(paramwise):
    with pytest.raises(ValueError, match='expected paramwise_cfg'):
        wrapper(nn.ModuleDict(dict(one=nn.Linear(1, 1))), **paramwise)
