"""Encoders with a geometric prior: its depth per cell, its code, and bad inputs."""

import math

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.encoders import EmbodiedPrior, GroundPlanePrior
from hybrid_depth.geometry import GroundPlane
from hybrid_depth.geometry.camera_view import CameraView

SIZE, FOCAL, HEIGHT = (32, 64), 40.0, 1.5
TOWER = dict(type='TimmDepthEncoder', name='test_resnet')


def view(batch: int = 2, **kwargs) -> CameraView:
    cam2img = torch.tensor([[FOCAL, 0, 31.5], [0, FOCAL, 11.5], [0, 0, 1]]).repeat(batch, 1, 1)
    return CameraView(cam2img, SIZE, **kwargs)


def physics() -> torch.Tensor:
    """Two maps, different for every row, without depth in the upper half."""
    depth = torch.linspace(60, 3, 32)[None, None, :, None].expand(2, 1, *SIZE).clone()
    depth[:, :, :16] = 0
    depth[1] /= 2
    return depth


def build(prior: dict, **kwargs):
    return MODELS.build(dict(type='PriorEncoder', encoder=TOWER, prior=prior, **kwargs)).eval()


def test_ground_of_the_centres_of_cells():
    """A cell of 4 pixels has its centre between two rows; z = f h / (v - cy)."""
    depth = GroundPlanePrior(HEIGHT)(view(), (8, 16))
    assert depth.shape == (2, 8, 16)
    for row in range(8):
        below = 4 * row + 1.5 - 11.5
        expected = FOCAL * HEIGHT / below if below > 0 else 0.0
        torch.testing.assert_close(depth[:, row], torch.full((2, 16), expected))


def test_pitch_in_degrees_and_planes_of_the_view():
    """The plane of the view, of a rig for example, goes before that of the config."""
    tilted = GroundPlanePrior(HEIGHT, pitch=3.0)(view(), (8, 16))
    plane = GroundPlane.from_angles(HEIGHT, math.radians(3.0))
    both = GroundPlane(plane.normal.repeat(2, 1), plane.height * torch.tensor([1.0, 2.0]))
    given = GroundPlanePrior(height=9.0)(view(plane=both), (8, 16))
    torch.testing.assert_close(given[0], tilted[0])
    lower = given[1] > 0
    torch.testing.assert_close(given[1][lower], 2 * tilted[1][lower])
    assert lower.any() and tilted[0, 7, 0] < GroundPlanePrior(HEIGHT)(view(), (8, 16))[0, 7, 0]


def test_embodied_depth_of_the_nearest_pixel():
    depth = EmbodiedPrior()(view(physics_depth=physics()), (8, 16))
    assert torch.equal(depth, physics()[:, 0, 2::4, 2::4])
    assert not EmbodiedPrior()(view(physics_depth=physics()).of_another_frame(), (8, 16)).any()


@pytest.mark.parametrize('prior', ['GroundPlanePrior', 'EmbodiedPrior'])
def test_code_beside_every_map(prior):
    """Channels behind the tower's hold the depth: its expectation over the bins is the depth; cells
    without depth have zeros. The tower sees the image alone."""
    options = dict(height=HEIGHT) if prior == 'GroundPlanePrior' else {}
    encoder = build(dict(type=prior, **options), bins=dict(start=1.0, stop=80.0, num=80))
    seen = view(physics_depth=physics())
    images = torch.rand(2, 3, *SIZE)
    with torch.no_grad():
        features, plain = encoder(images, seen), encoder.tower(images)
    assert encoder.out_channels == [x.shape[1] for x in features.maps]
    assert encoder.out_strides == encoder.tower.out_strides
    for x, alone in zip(features.maps, plain.maps, strict=True):
        assert torch.equal(x[:, :-80], alone)
        depth, code = encoder.prior(seen, tuple(x.shape[-2:])), x[:, -80:]
        known = (depth >= 1) & (depth < 80)
        torch.testing.assert_close(code.sum(1), known.float())
        found = encoder.bins.expectation(code)
        # the expectation is cut off at the ends of the bins
        inner = (depth > 3) & (depth < 77)
        torch.testing.assert_close(found[inner], depth[inner], rtol=0, atol=0.1)
    assert known.any() or x.shape[-2] == 1


def test_default_code_tells_depths_of_two_percent_apart():
    encoder = build(dict(type='GroundPlanePrior', height=HEIGHT))
    depth = torch.logspace(math.log10(1.5), math.log10(70), 200)
    codes = encoder.bins.soft(depth.view(1, 1, -1), 0.5)[0, :, 0]
    nearer = encoder.bins.soft(0.98 * depth.view(1, 1, -1), 0.5)[0, :, 0]
    assert ((codes - nearer).abs().sum(0) > 0.01).all()


def test_cameras_of_nothing_known_have_empty_priors():
    unknown = view(physics_depth=physics()).of_unknown_scene()
    for prior in (GroundPlanePrior(HEIGHT), EmbodiedPrior()):
        assert not prior(unknown, (8, 16)).any()
        assert prior(view(physics_depth=physics()), (8, 16)).any()


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: GroundPlanePrior(-1.0), 'height above 0'),
        (lambda: GroundPlanePrior(1.5, pitch=math.nan), 'finite angles'),
        (lambda: GroundPlanePrior()(view(), (8, 16)), 'set height'),
        (lambda: EmbodiedPrior()(view(), (8, 16)), 'depth_folders'),
        (
            lambda: build(dict(type='GroundPlanePrior', height=1.5))(torch.rand(1, 3, *SIZE)),
            'camera of the images, got none',
        ),
        (lambda: view(physics_depth=physics()[:1]), r'physics_depth: expected shape \(2, 1, 32'),
        (lambda: view(plane=GroundPlane.from_angles(1.5)), r'per image, shape \(2,\)'),
        (lambda: CameraView(torch.eye(3), SIZE), r'cam2img: expected shape \(3, 3, 3\)'),
    ],
)
def test_bad_inputs(make, message):
    with pytest.raises(ValueError, match=message):
        make()
