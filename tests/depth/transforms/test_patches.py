import numpy as np
import pytest
import torch

from hybrid_depth.depth.transforms.flip import FlipFrames
from hybrid_depth.depth.transforms.patches import GroundPatches, LanePatches, pick_points
from hybrid_depth.errors import DepthDataError

ROWS = np.arange(160, 720, 10, dtype=np.float32)
HEIGHT = 1.65


def lane_sample(*lengths):
    """Lanes with points in the lowest rows, 5 pixels further right per row."""
    lanes = np.full((len(lengths), len(ROWS)), -2, np.float32)
    for lane, length in zip(lanes, lengths, strict=True):
        lane[len(ROWS) - length :] = 300 + 5 * np.arange(length)
    return dict(lanes=lanes, lane_rows=ROWS, ori_shape=(720, 1280), img_shape=(224, 392))


def test_points_are_every_nth_from_the_first():
    x = np.arange(47, dtype=np.float32)
    assert pick_points(x, 10 * x, 7)[:, 0].tolist() == [0, 7, 14, 21, 28, 35, 42]
    assert pick_points(x[:7], x[:7], 7)[:, 0].tolist() == list(range(7))
    assert pick_points(x[:6], x[:6], 7) is None
    x[::2] = -2
    assert pick_points(x, x, 7)[:, 0].tolist() == [1, 7, 13, 19, 25, 31, 37]


def test_natural_order_is_nearest_first():
    patches = LanePatches()(lane_sample(40, 6, 30))['patches']
    assert patches.shape == (2, 7, 2) and patches.dtype == np.float32
    assert (np.diff(patches[..., 1]) < 0).all()
    first = patches[0, 0]
    np.testing.assert_allclose(first, [(300 + 5 * 39) * 392 / 1280, 710 * 224 / 720], rtol=1e-6)


def test_released_order_is_file_order():
    """The factor of the rows also scales the columns, an error of the release."""
    patches = LanePatches(direction='released')(lane_sample(40))['patches']
    assert (np.diff(patches[..., 1]) > 0).all()
    np.testing.assert_allclose(patches[0, 0], [300 * 224 / 720, 320 * 224 / 720], rtol=1e-6)


def test_the_order_of_rows_in_the_file_does_not_matter():
    given = lane_sample(40)
    turned = dict(given, lanes=given['lanes'][:, ::-1], lane_rows=ROWS[::-1])
    np.testing.assert_array_equal(LanePatches()(given)['patches'], LanePatches()(turned)['patches'])


def test_images_without_a_long_lane():
    assert LanePatches()(lane_sample())['patches'].shape == (0, 7, 2)
    assert LanePatches()(lane_sample(6, 3))['patches'].shape == (0, 7, 2)


def test_flipped_lanes_give_flipped_patches():
    given = dict(lane_sample(40), frames={})
    plain = LanePatches()(given)['patches']
    flipped = LanePatches()(FlipFrames(prob=1)(given))['patches']
    np.testing.assert_allclose(flipped[..., 0] + plain[..., 0], 1279 * 392 / 1280, rtol=1e-5)


def test_lanes_are_needed():
    with pytest.raises(DepthDataError, match='GroundPatches'):
        LanePatches()(dict(ori_shape=(1, 1)))
    with pytest.raises(DepthDataError, match="natural or released, got 'far'"):
        LanePatches(direction='far')


def ground_sample():
    """KITTI's camera at 672x224."""
    cam2img = np.array([[390.0, 0, 330], [0, 431.0, 103], [0, 0, 1]])
    return dict(cam2img=cam2img, img_shape=(224, 672))


@pytest.mark.parametrize('random', [True, False])
def test_ground_lines_are_parallel_to_the_axis(random):
    """Projected to the ground, lines have a constant offset and increasing distance."""
    given = ground_sample()
    patches = GroundPatches(num_lines=3, random=random)(given)['patches']
    assert patches.shape == (3, 7, 2) and patches.dtype == np.float32
    pixels = np.concatenate([patches, np.ones((3, 7, 1))], axis=-1)
    rays = pixels @ np.linalg.inv(given['cam2img']).T
    points = rays * HEIGHT / rays[..., 1:2]
    np.testing.assert_allclose(points[..., 0], points[:, :1, 0].repeat(7, 1), rtol=1e-4, atol=1e-4)
    assert (np.diff(points[..., 2]) > 0).all()
    assert np.abs(points[..., 0]).max() <= 2 * HEIGHT
    assert patches[..., 1].max() == 223


def test_lines_are_random():
    transform, given = GroundPatches(), ground_sample()
    first, second = transform(given)['patches'], transform(given)['patches']
    assert not np.array_equal(first, second)
    torch.manual_seed(0)
    np.testing.assert_array_equal(transform(given)['patches'], first)
    fixed = GroundPatches(random=False)
    np.testing.assert_array_equal(fixed(given)['patches'], fixed(given)['patches'])


def test_ego_vehicle_and_pitched_camera():
    patches = GroundPatches(horizon=0.3, lowest=0.8, random=False)(ground_sample())['patches']
    assert patches[..., 1].max() == pytest.approx(0.8 * 223)
    assert patches[..., 1].min() == pytest.approx(0.3 * 224 + 0.1 * (0.8 * 223 - 0.3 * 224))


def test_lines_that_leave_the_image_are_omitted():
    patches = GroundPatches(num_lines=5, max_offset=5, random=False)(ground_sample())['patches']
    assert len(patches) == 3 and patches[..., 0].min() >= 0 and patches[..., 0].max() <= 671


def test_no_ground_or_no_camera():
    with pytest.raises(DepthDataError, match='rows of ground.*lowest and the horizon at 217'):
        GroundPatches(horizon=0.97)(ground_sample())
    with pytest.raises(DepthDataError, match='cam2img'):
        GroundPatches()(dict(img_shape=(10, 10)))
