"""Scale-invariant log distance: the official values, and its definition."""

import torch

from hybrid_depth.losses import scale_invariant_log
from tests.golden.mono_vifi import image
from tests.golden.reader import Golden

GOLDEN = Golden('mono_vifi_rules')
LIMIT = 1e-4


def test_golden():
    shape = (2, 3, 24, 60)
    depth, other = (0.5 + 20 * image(f'si.{name}', shape)[:, :1] for name in ('pred', 'gt'))
    valid = image('si.mask', shape)[:, :1] > 0.4
    GOLDEN.check('si_log', scale_invariant_log(depth, other).mean(), LIMIT)
    GOLDEN.check('si_log.masked', scale_invariant_log(depth, other, valid).mean(), LIMIT)


def test_pixels_that_are_not_valid_have_no_gradient():
    depth = (1 + torch.rand(2, 1, 4, 5)).requires_grad_()
    valid = torch.rand(2, 1, 4, 5) > 0.5
    valid[:, :, 0] = True
    scale_invariant_log(depth, 2 * torch.rand(2, 1, 4, 5) + 1, valid).sum().backward()
    assert torch.equal(depth.grad != 0, valid)


def test_items_are_apart():
    depth, other = 1 + torch.rand(2, 3, 1, 4, 5)
    apart = [scale_invariant_log(a[None], b[None]) for a, b in zip(depth, other, strict=True)]
    torch.testing.assert_close(scale_invariant_log(depth, other), torch.cat(apart))
