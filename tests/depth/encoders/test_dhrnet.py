"""D-HRNet's encoder on sizes that its branches do not divide."""

import torch

from hybrid_depth.depth.encoders import DHRNetEncoder


@torch.no_grad()
def test_any_size():
    encoder, images = DHRNetEncoder().eval(), torch.rand(1, 3, 50, 70)
    maps = encoder(images).maps
    assert [m.shape[1] for m in maps] == encoder.out_channels == [64, 18, 36, 72, 144]
    sizes = [tuple(m.shape[-2:]) for m in maps]
    assert sizes == [(25, 35), (13, 18), (7, 9), (4, 5), (2, 3)]
