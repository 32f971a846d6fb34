import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image

from hybrid_depth.errors import ConfigError
from hybrid_depth.robustness.corruptions import IMAGE_CORRUPTIONS, corrupt_image
from hybrid_depth.robustness.transforms import CORRUPTIONS, ROBOBEV

CAMERAS = [f'camera{i}' for i in range(6)]


def images(seed: int) -> list[Image.Image]:
    pixels = np.random.default_rng(seed).integers(1, 256, (6, 9, 16, 3), np.uint8)
    return [Image.fromarray(image) for image in pixels]


def rig_sample() -> dict:
    poses = np.tile(np.eye(4), (6, 1, 1))
    poses[:, :3, 3] = np.arange(18).reshape(6, 3)
    return dict(
        img=images(0),
        cam_names=CAMERAS,
        cam2ego=poses,
        scene_token='scene',
        adjacent=[dict(img=images(1), cam2ego=poses.copy())],
    )


def transform(**cfg):
    return TRANSFORMS.build(cfg)


def black(frame: dict) -> list[bool]:
    return [not np.asarray(image).any() for image in frame['img']]


def test_robobev_has_eight_corruptions():
    assert len(ROBOBEV) == 8 and set(CORRUPTIONS) - set(ROBOBEV) == {'noise'}


@pytest.mark.parametrize('name', IMAGE_CORRUPTIONS)
def test_images_of_rigs_and_of_one_camera(name):
    corrupt = transform(type='CorruptImages', corruption=name, strength=2, seed=3)
    sample = corrupt(rig_sample())
    for frame, seed in ((sample, 0), (sample['adjacent'][0], 1)):
        for image, original in zip(frame['img'], images(seed), strict=True):
            expected = corrupt_image(np.asarray(original), name, 2, 3)
            assert np.array_equal(np.asarray(image), expected)
    frames = corrupt(dict(frames={0: images(0)[0], -1: images(1)[0]}))['frames']
    assert np.array_equal(np.asarray(frames[0]), np.asarray(sample['img'][0]))
    assert np.array_equal(np.asarray(frames[-1]), np.asarray(sample['adjacent'][0]['img'][0]))


def test_dead_cameras_are_the_same_in_the_whole_scene():
    corrupt = transform(type='CorruptImages', corruption='camera_crash', strength=2)
    sample = corrupt(rig_sample())
    assert sum(black(sample)) == 4 and black(sample) == black(sample['adjacent'][0])
    kept = black(sample).index(False)
    assert np.array_equal(np.asarray(sample['img'][kept]), np.asarray(images(0)[kept]))


def test_lost_frames_stay_lost_in_the_history():
    corrupt = transform(type='CorruptImages', corruption='frame_lost', strength=2)
    now, later = corrupt(rig_sample()), rig_sample()
    later['adjacent'][0]['img'] = images(0)
    later = corrupt(later)
    assert black(now) == black(later['adjacent'][0])
    assert 0 < sum(black(now) + black(now['adjacent'][0])) < 12


def test_turned_cameras():
    turn = transform(type='RotateCameras', angle=2.0)
    before, sample = rig_sample(), rig_sample()
    poses = sample['cam2ego']
    after = turn(sample)
    assert np.array_equal(poses, before['cam2ego'])  # the data set's array is not changed
    turns = after['cam2ego'][:, :3, :3]
    angles = np.degrees(np.arccos((np.trace(turns, axis1=1, axis2=2) - 1) / 2))
    assert angles == pytest.approx(2)
    assert np.linalg.det(turns) == pytest.approx(1)
    assert np.array_equal(after['cam2ego'][..., 3], before['cam2ego'][..., 3])
    assert np.array_equal(after['cam2ego'], after['adjacent'][0]['cam2ego'])
    axes = turns - turns.transpose(0, 2, 1)
    assert not np.allclose(axes[0], axes[1])  # another axis per camera
    more = transform(type='RotateCameras', angle=4.0)(rig_sample())['cam2ego'][:, :3, :3]
    assert np.allclose(more, turns @ turns)  # the same axis for every angle
    other = transform(type='RotateCameras', angle=2.0, seed=1)(rig_sample())
    assert not np.allclose(other['cam2ego'], after['cam2ego'])


def test_turned_in_the_camera_frame():
    """A camera that looks left is turned about its own axes, not those of the vehicle."""
    left = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    sample = rig_sample()
    sample['cam2ego'][:, :3, :3] = left
    turns = transform(type='RotateCameras', angle=2.0)(rig_sample())['cam2ego'][:, :3, :3]
    turned = transform(type='RotateCameras', angle=2.0)(sample)['cam2ego'][:, :3, :3]
    assert np.allclose(turned, left @ turns)


def test_errors():
    with pytest.raises(ConfigError, match="got 'rain' with 1"):
        transform(type='CorruptImages', corruption='rain', strength=1)
    with pytest.raises(ConfigError, match="'fog' with 4"):
        transform(type='CorruptImages', corruption='fog', strength=4)
    crash = transform(type='CorruptImages', corruption='camera_crash', strength=1)
    with pytest.raises(ConfigError, match='expected two cameras or more for camera_crash'):
        crash(dict(frames={0: images(0)[0]}))
    with pytest.raises(ConfigError, match='cam2ego'):
        transform(type='RotateCameras', angle=1.0)(dict(frames={}))
