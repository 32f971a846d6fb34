"""Lite-Mono's encoder: any size, drop path, parameters."""

import pytest
import torch

from hybrid_depth.depth.encoders import LiteMonoEncoder


@torch.no_grad()
def test_any_size():
    encoder = LiteMonoEncoder().eval()
    sizes = [tuple(m.shape[-2:]) for m in encoder(torch.rand(1, 3, 50, 70)).maps]
    assert sizes == [(13, 18), (7, 9), (4, 5)]


def test_every_trainable_parameter_gets_a_gradient():
    """The layer norms of the dilated blocks never run: distributed training would wait for them."""
    encoder = LiteMonoEncoder(drop_path=0.0)
    sum(m.sum() for m in encoder(torch.rand(1, 3, 32, 64)).maps).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name
    assert sum(not p.requires_grad for p in encoder.parameters()) == 2 * 15


def test_drop_path_rises():
    rates = [block.drop_path.drop_prob for stage in LiteMonoEncoder().stages for block in stage]
    assert rates[0] == 0 and rates[-1] == pytest.approx(0.2) and rates == sorted(rates)


def test_unknown_dilations():
    with pytest.raises(ValueError, match="'standard', 'high'"):
        LiteMonoEncoder('wide')
