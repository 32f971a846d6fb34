import pytest
import torch

import hybrid_depth.modules  # noqa: F401  registers the head
from tests.bev.heads.golden_signs import SMALL, gradient_norms, head_losses, small_residuals
from tests.bev.heads.test_center_head import build_head, fixed_outputs
from tests.golden.bevdet import feature, ground_truth

BOX, VX = 3, 8


@pytest.mark.parametrize('residual', [SMALL / 2, 2 * SMALL])
def test_gradient_with_a_flipped_sign(residual):
    """Accepted for residuals small enough to be rounding, rejected otherwise."""
    head, truth, weight = build_head(), ground_truth('test'), torch.rand(2, 8, requires_grad=True)
    level = fixed_outputs(0, 10)
    level['vel'] = torch.einsum('oc,bchw->bohw', weight, feature('signs', (1, 8, 128, 128)))
    heatmaps, boxes, cells, valid = head.get_targets([truth])
    predicted = level['vel'].detach()[0, 0].flatten()[cells[0][0, BOX]]
    boxes = [boxes[0].clone()]
    head.get_targets = lambda _: (heatmaps, boxes, cells, valid)

    def measure(losses):
        (gradient,) = torch.autograd.grad(sum(losses.values()), weight, retain_graph=True)
        return dict(norm=gradient.norm())

    boxes[0][0, BOX, VX] = predicted - residual
    stored = measure(head_losses(head, ([level],), truth))['norm']
    boxes[0][0, BOX, VX] = predicted + residual
    found = gradient_norms(
        head, ([level],), truth, measure, lambda norms: abs(norms['norm'] / stored - 1) < 1e-5
    )['norm']
    small = residual < SMALL
    assert len(small_residuals(head, ([level],), truth)) == small
    assert (abs(found / stored - 1) < 1e-5) == small
