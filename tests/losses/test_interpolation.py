"""Losses of frame interpolation against loops."""

import pytest
import torch

from hybrid_depth.losses.interpolation import census_distance, charbonnier


def by_loops(prediction, target, patch):
    batch, channels, rows, columns = prediction.shape
    margin, total = patch // 2, 0.0

    def soft(maps, b, c, y, x, dy, dx):
        d = maps[b, c, y + dy, x + dx] - maps[b, c, y, x]
        return d / (0.81 + d**2) ** 0.5

    steps = range(-margin, margin + 1)
    for b in range(batch):
        for c in range(channels):
            for y in range(margin, rows - margin):
                for x in range(margin, columns - margin):
                    for dy in steps:
                        for dx in steps:
                            e = soft(prediction, b, c, y, x, dy, dx)
                            e = e - soft(target, b, c, y, x, dy, dx)
                            total += e**2 / (0.1 + e**2) / patch**2
    return total / prediction.numel()


@pytest.mark.parametrize('patch', [3, 5])
def test_census_distance(patch):
    prediction, target = torch.rand(2, 1, 2, 6, 7, dtype=torch.float64)
    found = census_distance(prediction, target, patch)
    torch.testing.assert_close(found, by_loops(prediction, target, patch))


def test_census_ignores_brightness_but_charbonnier_does_not():
    images = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    assert census_distance(images, images + 0.2, 3) < 1e-12
    assert charbonnier(images, images + 0.2) == pytest.approx(0.2, rel=1e-4)
