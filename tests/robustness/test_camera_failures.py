import numpy as np
import pytest

from hybrid_depth.robustness.camera_failures import dead_cameras, is_lost


@pytest.mark.parametrize(
    ('cameras', 'counts'), [(6, (2, 4, 5)), (2, (1, 1, 1)), (4, (1, 3, 3)), (12, (4, 8, 10))]
)
def test_dead_cameras_are_shares_of_the_rig(cameras, counts):
    dead = [dead_cameras(cameras, strength, 'scene', 0) for strength in (1, 2, 3)]
    assert tuple(d.sum() for d in dead) == counts
    assert not (dead[0] & ~dead[1]).any() and not (dead[1] & ~dead[2]).any()


def test_dead_cameras_depend_on_scene_and_seed():
    drawn = {
        tuple(dead_cameras(6, 1, scene, seed)) for scene in ('a', 'b', 'c', 'd') for seed in (0, 1)
    }
    assert len(drawn) > 3
    assert np.array_equal(dead_cameras(6, 1, 'a', 0), dead_cameras(6, 1, 'a', 0))


@pytest.mark.parametrize(('strength', 'share'), [(1, 2 / 6), (2, 4 / 6), (3, 5 / 6)])
def test_share_of_lost_frames(strength, share):
    images = np.random.default_rng(0).integers(0, 256, (2000, 4, 4, 3), np.uint8)
    lost = [is_lost(image, strength, 0) for image in images]
    assert np.mean(lost) == pytest.approx(share, abs=0.03)
    assert lost == [is_lost(image, strength, 0) for image in images]
    assert lost != [is_lost(image, strength, 1) for image in images]
