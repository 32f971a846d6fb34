import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import DeformConv2dPack
from torch import Tensor, nn

from hybrid_depth.bev.depth_nets.deformable_conv import DeformableConv


def module(channels: int = 8, groups: int = 2) -> DeformableConv:
    """Module with offsets of up to a few pixels."""
    conv = DeformableConv(channels, groups).double()
    nn.init.normal_(conv.conv_offset.weight, std=0.3)
    nn.init.normal_(conv.conv_offset.bias, std=1)
    return conv


def sampled(conv: DeformableConv, x: Tensor, groups: int) -> Tensor:
    """The definition: each of the nine taps sampled at its offset (y, x)."""
    _, _, h, w = x.shape
    rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
    out = 0
    for tap, offset in enumerate(conv.conv_offset(x).unflatten(1, (9, 2)).unbind(1)):
        y = rows + tap // 3 - 1 + offset[:, 0]
        z = columns + tap % 3 - 1 + offset[:, 1]
        grid = torch.stack(((2 * z + 1) / w - 1, (2 * y + 1) / h - 1), -1)
        moved = F.grid_sample(x, grid, align_corners=False)  # zeros outside
        out = out + F.conv2d(moved, conv.weight[..., tap // 3, tap % 3, None, None], groups=groups)
    return out


@pytest.mark.parametrize('groups', [1, 2, 4])
def test_taps_are_sampled_at_the_offsets(groups):
    conv, x = module(groups=groups), torch.randn(2, 8, 6, 9, dtype=torch.float64)
    x.requires_grad_()
    expected = sampled(conv, x, groups)
    out = conv(x)
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(out)
    inputs = [x, *conv.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(out, inputs, grad),
        torch.autograd.grad(expected, inputs, grad),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_gradient():
    conv = module(channels=2)
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    names, values = zip(*conv.named_parameters(), strict=True)

    def forward(x, *parameters):
        return torch.func.functional_call(conv, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(forward, (x, *values))


def test_initially_a_standard_convolution():
    conv, x = DeformableConv(8, groups=4), torch.randn(2, 8, 5, 6)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, padding=1, groups=4))
    bound = (6 / (2 * 9)) ** 0.5
    assert 0.9 * bound < conv.weight.abs().max() <= bound


def test_parameters_equal_mmcv():
    ours = DeformableConv(16, groups=4).state_dict()
    theirs = DeformConv2dPack(16, 16, kernel_size=3, padding=1, groups=4).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_autocast(dtype):
    conv, x = module().float(), torch.randn(1, 8, 5, 6)
    expected = conv(x)
    with torch.autocast('cpu', torch.bfloat16):
        out = conv(x.to(dtype))
    assert out.dtype == dtype
    out.sum().backward()
    assert (out - expected).abs().max() < 0.05 * expected.abs().max()
    assert conv.conv_offset.weight.grad.isfinite().all()
