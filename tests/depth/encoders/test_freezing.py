import pytest
import torch
from torch import nn

from hybrid_depth.depth.encoders.freezing import eval_frozen, is_frozen, set_trainable


@pytest.fixture
def net():
    return nn.ModuleDict(
        dict(
            a=nn.ModuleDict({'1': nn.Linear(2, 2), '11': nn.Linear(2, 2)}),
            norm=nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)),
        )
    )


def learning(net):
    return {name for name, p in net.named_parameters() if p.requires_grad}


def test_prefixes_end_at_a_dot(net):
    set_trainable(net, ('a.1', 'norm.1.bias'))
    assert learning(net) == {'a.1.weight', 'a.1.bias', 'norm.1.bias'}


def test_all_and_none(net):
    set_trainable(net, 'none')
    assert learning(net) == set() and is_frozen(net)
    set_trainable(net, 'all')
    assert len(learning(net)) == 8


def test_one_trainable_parameter_is_enough(net):
    for only in ('a.1.weight', 'norm.1.bias'):
        set_trainable(net, only.split())
        assert not is_frozen(net)
    assert not is_frozen(nn.ReLU())  # nothing to freeze


@pytest.mark.parametrize('wrong', ['some', ('a.1', 'b')])
def test_a_prefix_without_a_match_is_an_error(net, wrong):
    with pytest.raises(ValueError):
        set_trainable(net, wrong)


def test_only_frozen_parts_are_set_to_eval_mode(net):
    set_trainable(net, ('a.1', 'norm.0'))
    net.train()
    eval_frozen(net)
    assert net['a'].training and net['a']['1'].training and not net['a']['11'].training
    net['norm'](torch.rand(2, 1, 3, 3))
    assert net['norm'][1].num_batches_tracked == 0
