"""Training of frame interpolation on a moving pattern."""

import pytest
import torch

from hybrid_depth.depth.interpolation import FrameInterpolation


def video(ids):
    wide = torch.nn.functional.avg_pool2d(torch.rand(2, 3, 20, 52), 5, 1)
    return {i: wide[..., 8 + 4 * i : 8 + 4 * i + 32] for i in ids}


def test_learns_the_middle_frame():
    torch.manual_seed(0)
    model = FrameInterpolation(dict(type='IFRNet', size='small'))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    inputs = dict(images=video((0, -1, 1)))
    totals = []
    for _ in range(6):
        total, parts = model.parse_losses(model(inputs, mode='loss'))
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    assert totals[-1] < 0.9 * totals[0]
    assert {'loss_charbonnier', 'loss_census', 'loss_geometry'} <= set(parts)


def test_missing_frames_and_modes():
    model = FrameInterpolation(dict(type='IFRNet', size='small'))
    with torch.no_grad():
        assert model(dict(images=video((-1, 1)))).image.shape == (2, 3, 16, 32)
    with pytest.raises(KeyError, match='frame_ids'):
        model(dict(images=video((0, 1))), mode='loss')
    with pytest.raises(KeyError, match='frame_ids'):
        model(dict(images=video((-1, 1))), mode='loss')
    with pytest.raises(ValueError, match="'loss' or 'tensor'"):
        model(dict(images=video((-1, 1))), mode='predict')
