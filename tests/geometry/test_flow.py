"""Warping by optical flow against indexing, and scales of resized flows."""

import torch

from hybrid_depth.geometry.flow import resize_flow, warp_by_flow


def test_whole_pixels_are_indexed():
    source = torch.rand(2, 3, 6, 9)
    flow = torch.zeros(2, 2, 6, 9)
    flow[:, 0], flow[:, 1] = 2, -1
    warped = warp_by_flow(source, flow)
    torch.testing.assert_close(warped[..., 1:, :-2], source[..., :-1, 2:])
    border = source[..., :-1, -1:].expand(-1, -1, -1, 2)
    torch.testing.assert_close(warped[..., 1:, -2:], border)


def test_half_pixels_are_interpolated():
    source = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    assert warp_by_flow(source, torch.full((1, 2, 2, 2), 0.5))[0, 0, 0, 0] == 1.5


def test_one_pixel():
    source = torch.rand(1, 1, 1, 1)
    assert torch.equal(warp_by_flow(source, torch.ones(1, 2, 1, 1)), source)


def test_resized_flow_is_in_pixels_of_its_size():
    flow = torch.ones(1, 2, 8, 8)
    resized = resize_flow(flow, (4, 16))
    assert resized[:, 0].unique() == 2 and resized[:, 1].unique() == 0.5
    assert resize_flow(flow, (8, 8)) is flow
