import torch

from hybrid_depth.losses import depths_agree


def test_neither_depth_may_be_twice_the_other():
    reference = torch.tensor([2.0, 2.0, 2.0, 2.0, 2.0])
    matched = torch.tensor([1.0, 1.01, 2.0, 3.99, 4.0])
    assert depths_agree(matched, reference).tolist() == [False, True, True, True, False]
    assert torch.equal(depths_agree(matched, reference), depths_agree(reference, matched))
