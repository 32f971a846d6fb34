import numpy as np
import pytest
import torch

from hybrid_depth.errors import DepthDataError
from hybrid_depth.export.calibration import Calibration
from hybrid_depth.export.pooling_plan import LiftSpec, pooling_ranks
from hybrid_depth.geometry import frustum_ranks
from tests.geometry.test_frustum_ranks import random_case


def lift_of(frustum, grid) -> LiftSpec:
    return LiftSpec(
        u=frustum[0, 0, :, 0].tolist(),
        v=frustum[0, :, 0, 1].tolist(),
        depths=frustum[:, 0, 0, 2].tolist(),
        x=grid.x,
        y=grid.y,
        z=grid.z,
        rounding=grid.rounding,
    )


def calibration_of(rig) -> Calibration:
    return Calibration.of({name: value.numpy() for name, value in vars(rig).items()})


@pytest.mark.parametrize('seed', range(16))
def test_ranks_are_those_of_the_detector_bit_for_bit(seed):
    """Cameras, augmentations, both roundings, and points on voxel borders."""
    frustum, rig, grid = random_case(seed)
    ranks = pooling_ranks(lift_of(frustum, grid), calibration_of(rig))
    assert ranks.dtype == np.int64
    expected = frustum_ranks(frustum, rig, grid)
    assert torch.equal(torch.from_numpy(ranks), expected.long())
    assert seed % 4 == 0 or (expected >= 0).any()  # every fourth grid is too small


def test_one_sample_needs_no_batch_and_has_defaults():
    _, rig, _ = random_case(1)
    one = Calibration.of(dict(cam2img=rig.cam2img[0].numpy(), cam2ego=rig.cam2ego[0].numpy()))
    n = rig.num_cams
    assert one.cam2img.shape == (1, n, 3, 3) and one.bda.shape == (1, 4, 4)
    assert np.array_equal(one.img_aug[0, 0], np.eye(3))
    assert one.same_geometry(one.sample(0))


def test_calibrations_that_cannot_be_used():
    good = dict(cam2img=np.eye(3)[None], cam2ego=np.eye(4)[None])
    with pytest.raises(DepthDataError, match='expected a calibration with cam2img and cam2ego'):
        Calibration.of(dict(cam2img=good['cam2img']))
    with pytest.raises(DepthDataError, match=r'cam2ego: expected .*\(1, 4, 4\).*, got \(1, 1, 3'):
        Calibration.of(dict(good, cam2ego=np.eye(3)[None]))
    with pytest.raises(DepthDataError, match='cam2img: expected finite'):
        Calibration.of(dict(good, cam2img=np.full((1, 3, 3), np.nan)))
    singular = Calibration.of(dict(good, cam2img=np.zeros((1, 3, 3))))
    lift = LiftSpec([0.0], [0.0], [1.0], (0, 1, 1), (0, 1, 1), (0, 1, 1), 'floor')
    with pytest.raises(DepthDataError, match='invertible'):
        pooling_ranks(lift, singular)
