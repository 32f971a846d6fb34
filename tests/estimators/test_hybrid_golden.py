"""Parity of stage 2: motions, warps, training step (docs/reference/golden.md, "Hybrid-depth")."""

import numpy as np
import pytest
import torch

from hybrid_depth.estimators.pose_nets import Frame
from hybrid_depth.geometry.poses import Motion
from hybrid_depth.geometry.rigid import invert_rigid
from hybrid_depth.losses import ReprojectionObjective
from tests.encoders.official import DATA, assert_golden
from tests.estimators.hybrid_model import build, make_inputs, triplet
from tests.golden import weights

POSE_LIMIT = 1e-5
WARP_LIMIT = 5e-5  # absolute
PHOTOMETRIC_LIMIT = 2e-4  # absolute
MASK_SHARE = 2e-3
LOSS_LIMIT = 1e-5  # relative
DISPARITY_LIMIT = 3e-5


def stored(golden, name):
    """The stored part of an array and the slices that take it out of a full one."""
    steps = golden[f'{name}.step'] if f'{name}.step' in golden else ()
    return torch.from_numpy(golden[name]), tuple(slice(None, None, int(s)) for s in steps)


def assert_close(golden, name, value, limit):
    """Absolute comparison with the stored part."""
    expected, part = stored(golden, name)
    assert (value[part] - expected).abs().max() <= limit, name


@pytest.fixture(scope='module')
def golden():
    return np.load(DATA / 'hybrid_depth_pose.npz')


@pytest.fixture(scope='module')
def step_golden():
    return np.load(DATA / 'hybrid_depth_train.npz')


@pytest.fixture(scope='module')
def model(step_golden):
    return build(float(step_golden['head_bias'])).eval()


def first_motion(golden):
    parts = (torch.from_numpy(golden[f'motion.{part}']) for part in ('axisangle', 'translation'))
    return Motion(*(part[:, 0] for part in parts))


def test_motion_matrices(golden):
    matrices = first_motion(golden).matrix()
    assert_golden(golden, 'motion.matrix', matrices, POSE_LIMIT)
    assert_golden(golden, 'motion.matrix_inverted', invert_rigid(matrices), POSE_LIMIT)


def test_warp(golden):
    depth = torch.from_numpy(2 + 8 * weights.image('hybrid_depth.warp', (1, 3, 224, 672))[:, :1])
    pictures = triplet()
    cam2img = torch.from_numpy(golden['K'])[:, :3, :3]
    objective = ReprojectionObjective()
    views = objective.views(pictures[0], pictures[-1][None], cam2img)
    found = objective(views, depth, first_motion(golden).matrix()[:1][None], depth)
    assert_golden(golden, 'warp.grid', found.grid[0], POSE_LIMIT)
    assert_close(golden, 'warp.warped', found.warped[0], WARP_LIMIT)
    assert_close(golden, 'warp.photometric', found.errors[0], PHOTOMETRIC_LIMIT)


@torch.no_grad()
def test_pose_net(model, golden):
    pictures, pose_net = triplet(), model.pose_net
    last = pose_net.encoder([pictures[0], pictures[1]])
    assert_golden(golden, 'eval.pose_layer4', last, POSE_LIMIT)
    for name, first in (('-1', -1), ('+1', 0)):
        motion = pose_net(Frame(pictures[first]), Frame(pictures[first + 1]))
        for part, value in (
            ('axisangle', motion.axis_angle),
            ('translation', motion.translation),
        ):
            expected = torch.from_numpy(golden[f'eval.{part}.{name}'])[:, 0, 0]
            assert (value - expected).abs().max() <= POSE_LIMIT * expected.abs().max()
        matrix = model.relative_pose(pictures[first], pictures[first + 1])
        matrix = invert_rigid(matrix) if first < 0 else matrix
        assert_golden(golden, f'eval.cam_T_cam.{name}', matrix, POSE_LIMIT)


@torch.no_grad()
def test_loss_in_eval_mode(model, step_golden):
    golden = step_golden
    inputs = make_inputs()
    found = model.compare(inputs)[0]
    assert_golden(golden, 'eval.disp', found.output, DISPARITY_LIMIT)
    for i, source in enumerate(('-1', '+1')):
        assert_golden(golden, f'eval.sample.{source}', found.grid[i], DISPARITY_LIMIT)
        assert_close(golden, f'eval.warped.{source}', found.warped[i], WARP_LIMIT)
        assert_close(golden, f'eval.photometric.{source}', found.errors[i], PHOTOMETRIC_LIMIT)
    wins, part = stored(golden, 'eval.not_masked')
    assert (found.warped_wins[part] != wins.bool()).float().mean() <= MASK_SHARE
    model.compare = lambda _: {0: found}
    losses = model(inputs, mode='loss')
    del model.compare
    for name, value in (
        ('loss.photometric', losses['loss_photometric']),
        ('loss.smoothness', losses['loss_smoothness'] / 1e-3),
        ('loss', losses['loss_photometric'] + losses['loss_smoothness']),
    ):
        assert abs(value / float(golden[f'eval.{name}']) - 1) <= LOSS_LIMIT, name
