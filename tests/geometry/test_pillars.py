"""Projection of pillars, and trilinear sampling of depth distributions."""

import math

import numpy as np
import pytest
import torch

from hybrid_depth.geometry import CameraRig
from hybrid_depth.geometry.pillars import PillarView, depth_at, project_pillars

SIZE = (48, 64)


def rig() -> CameraRig:
    """One camera 1.5 m above the ground facing ego x; its image is enlarged by two."""
    front = [[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]]
    cam2img = torch.tensor([[50.0, 0, 15], [0, 50, 11], [0, 0, 1]])
    img_aug = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    unit = torch.eye(4)[None]
    rig = CameraRig(cam2img[None, None], torch.tensor([[front]]), img_aug[None, None], unit, unit)
    return rig.to(torch.float64)


def test_positions_are_relative_to_image_edges():
    """Pixel centres have integer coordinates, so that 0 is at -0.5 and 1 at the size - 0.5."""
    points = torch.tensor([[[10.0, 1.0, 0.5], [10.0, -1.0, 1.5]], [[5.0, 0.0, 2.0], [-3.0, 0, 0]]])
    view = project_pillars(points, rig(), SIZE)
    for q, a in np.ndindex(2, 2):
        x, y, z = points[q, a].tolist()
        assert view.depth[0, 0, q, a].item() == pytest.approx(x)
        if x > 0:
            u = 2 * (50 * -y / x + 15) + 0.5
            v = 2 * (50 * (1.5 - z) / x + 11) + 0.5
            expected = [(u + 0.5) / 64, (v + 0.5) / 48]
            assert view.uv[0, 0, q, a].tolist() == pytest.approx(expected, rel=1e-5)
    assert view.hit[0, 0].tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(('u', 'hit'), [(-0.4, True), (-0.6, False), (63.4, True), (63.6, False)])
def test_hits_are_inside_the_image(u, hit):
    y = -((u - 0.5) / 2 - 15) / 50 * 10
    assert project_pillars(torch.tensor([[[10.0, y, 1.5]]]), rig(), SIZE).hit.item() == hit


def by_hand(prob: np.ndarray, u: float, v: float, position: float) -> float:
    """Trilinear between the centres of bins, rows and columns, zero beyond."""
    d, h, w = prob.shape
    total, at = 0.0, (position, v * h - 0.5, u * w - 0.5)
    for corner in np.ndindex(2, 2, 2):
        place = [math.floor(x) + c for x, c in zip(at, corner, strict=True)]
        if all(0 <= p < n for p, n in zip(place, (d, h, w), strict=True)):
            total += prob[tuple(place)] * math.prod(
                1 - abs(x - p) for x, p in zip(at, place, strict=True)
            )
    return total


def test_probability_of_a_depth_is_trilinear():
    prob = torch.rand(1, 1, 5, 3, 4).softmax(2)
    uv = torch.rand(1, 1, 20, 2, 2)
    position = 4 * torch.rand(1, 1, 20, 2)
    position[0, 0, :2] = torch.tensor([0.0, 4.0])
    depth = torch.ones(1, 1, 20, 2)
    depth[0, 0, 5] = -1.0  # behind the camera
    found = depth_at(PillarView(uv, depth, depth > 0), prob, position)
    for q, a in np.ndindex(20, 2):
        u, v = uv[0, 0, q, a].tolist()
        expected = by_hand(prob[0, 0].numpy(), u, v, position[0, 0, q, a].item())
        assert found[0, 0, q, a].item() == pytest.approx(0 if q == 5 else expected, abs=1e-6)
