"""Depth consistency of two frames of ground and wall."""

import pytest
import torch

from hybrid_depth.geometry.depth_consistency import depth_consistency_mask

SIZE = (48, 96)
WALL = 30.0


def camera(focal: float) -> torch.Tensor:
    return torch.tensor([[[focal, 0, 47.5], [0, focal, 23.5], [0, 0, 1]]], dtype=torch.float64)


def street(cam2img: torch.Tensor, driven: float, size: tuple[int, int] = SIZE) -> torch.Tensor:
    """(1, *size) metres: ground 1.5 m below the camera, and a wall 30 m ahead of the start."""
    rows = torch.arange(size[0], dtype=torch.float64)
    ground = 1.5 * cam2img[0, 1, 1] / (rows - cam2img[0, 1, 2])
    depth = torch.where(ground > 0, ground, torch.inf).clamp(max=WALL - driven)
    return depth[None, :, None].expand(1, *size).clone()


def forward(metres: float) -> torch.Tensor:
    """Transform from a camera frame to that of a camera farther ahead."""
    transform = torch.eye(4, dtype=torch.float64)[None].clone()
    transform[0, 2, 3] = -metres
    return transform


@pytest.mark.parametrize('driven', [2.0, -2.0])
def test_static_scene_is_consistent_in_any_unit(driven):
    first, second = camera(48.0), camera(60.0)
    images = street(first, 0.0), 0.2 * street(second, driven)
    agree = depth_consistency_mask(*images, first, second, forward(driven), 0.1)
    assert agree.float().mean() > 0.95  # rows at the edge of the wall sample a neighbour's depth
    standing = depth_consistency_mask(*images, first, second, forward(0.0), 0.02)
    assert standing.float().mean() < 0.9  # the result depends on the motion


def test_different_depth_is_inconsistent():
    cam2img = camera(48.0)
    now, before = street(cam2img, 2.0), street(cam2img, 0.0)
    now[:, 10:20, 40:50] = 12.0  # a new car; 12 m now are 14 m from the start
    agree = depth_consistency_mask(now, before, cam2img, cam2img, forward(-2.0), 0.1)
    assert not agree[:, 10:20, 40:50].any()
    agree[:, 10:20, 40:50] = True
    assert agree.float().mean() > 0.95


def test_pixels_without_evidence_are_kept():
    """Points outside the other image, behind the other camera, and without a depth."""
    cam2img = camera(48.0)
    now, before = street(cam2img, 0.0), street(cam2img, 0.0)
    turned = torch.eye(4, dtype=torch.float64)[None].clone()
    turned[0, [0, 2], [0, 2]] = -1.0  # second camera faces backwards
    assert depth_consistency_mask(now, before, cam2img, cam2img, turned, 0.1).all()
    before[..., 20:] = 0
    now[..., 60:] *= 1.5
    now[..., :5] = 0
    agree = depth_consistency_mask(now, before, cam2img, cam2img, forward(0.0), 0.1)
    assert agree[..., 20:].all() and agree[..., :5].all()
    assert depth_consistency_mask(now, 0 * before, cam2img, cam2img, forward(0.0), 0.1).all()


def test_pixels_are_compared_individually():
    """With a static camera, a noise map is consistent with itself and not with its shift."""
    cam2img = camera(48.0)
    noise = torch.rand(1, *SIZE, dtype=torch.float64) + 5
    assert depth_consistency_mask(noise, noise, cam2img, cam2img, forward(0.0), 1e-6).all()
    moved = depth_consistency_mask(noise, noise.roll(1, -1), cam2img, cam2img, forward(0.0), 1e-3)
    assert moved.float().mean() < 0.02


def test_unit_is_the_median_ratio():
    """Wrong depth in a third of the second map does not change the scale."""
    cam2img = camera(48.0)
    depth = street(cam2img, 0.0)
    other = 0.2 * depth
    other[..., :32] *= 3
    agree = depth_consistency_mask(depth, other, cam2img, cam2img, forward(0.0), 0.05)
    assert agree[..., 32:].all() and not agree[..., :32].any()


def test_points_behind_the_second_camera_are_kept():
    """A point 4 m ahead is behind a camera 6 m farther ahead."""
    cam2img = camera(48.0)
    now, before = street(cam2img, 0.0), street(cam2img, 6.0)
    now[:, :, 40:50] = 4.0
    agree = depth_consistency_mask(now, before, cam2img, cam2img, forward(6.0), 0.05)
    assert agree[:, :, 40:50].all()


@pytest.mark.parametrize('pixels', [0.3, -0.3])
def test_points_are_compared_with_the_nearest_pixel(pixels):
    """Noise from 5 to 6 m, seen 0.3 pixels further to the side, is still that of its own pixel."""
    cam2img = camera(48.0)
    noise = torch.rand(1, *SIZE, dtype=torch.float64) + 5
    sideways = forward(0.0)
    sideways[0, 0, 3] = pixels * 5.5 / 48
    assert depth_consistency_mask(noise, noise, cam2img, cam2img, sideways, 1e-6).all()
