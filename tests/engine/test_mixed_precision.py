import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS

from tests.depth.estimators.tiny import HYBRID, make_inputs


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(dict(HYBRID, tie_break=0.0))


def wrap(model, kind, **kwargs):
    return build_optim_wrapper(
        model, dict(type=kind, optimizer=dict(type='SGD', lr=1e-3), **kwargs)
    )


def test_a_training_step_on_the_cpu(model):
    """Convolutions run in bfloat16, weights and losses stay float32."""
    seen = []
    first = model.pose_net.net[0]
    first.register_forward_hook(lambda _module, _given, output: seen.append(output.dtype))
    before = first.weight.clone()
    log = model.train_step(dict(inputs=make_inputs()), wrap(model, 'BFloat16OptimWrapper'))
    assert set(seen) == {torch.bfloat16}
    assert all(value.dtype == torch.float32 for value in log.values())
    assert first.weight.dtype == torch.float32
    assert not torch.equal(first.weight, before)


def test_the_loss_is_close_to_that_of_full_precision(model):
    data, losses = dict(inputs=make_inputs()), []
    for kind in ('OptimWrapper', 'BFloat16OptimWrapper'):
        wrapper = wrap(model, kind)
        with wrapper.optim_context(model):
            losses.append(model.loss(data['inputs'])['loss_photometric'])
    assert losses[0] != losses[1] and torch.isclose(*losses, rtol=0.05)


def test_gradients_are_accumulated(model):
    wrapper = wrap(model, 'BFloat16OptimWrapper', accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 4)
    weight = model.pose_net.net[0].weight
    before = weight.clone()
    data = dict(inputs=make_inputs())
    model.train_step(data, wrapper)
    assert torch.equal(weight, before)
    model.train_step(data, wrapper)
    assert not torch.equal(weight, before)
