"""Parity of stage 2: motions, warps, training step (docs/reference/golden.md, "Hybrid-depth")."""

import pytest
import torch
from torch.nn.functional import pad

from hybrid_depth.depth.pose.nets import Frame
from hybrid_depth.geometry.poses import Motion
from hybrid_depth.geometry.rigid import invert_rigid
from hybrid_depth.losses import ReprojectionObjective
from tests.depth.estimators.hybrid_model import (
    LIMITS,
    build,
    check_comparison,
    make_inputs,
    triplet,
)
from tests.golden import recipe
from tests.golden.reader import Golden

POSE, STEP = Golden('hybrid_depth_pose'), Golden('hybrid_depth_train')
POSE_LIMIT = LIMITS['pose']


@pytest.fixture(scope='module')
def model():
    return build(float(STEP['head_bias'])).eval()


def first_motion() -> Motion:
    return Motion(POSE['motion.axisangle'][:, 0], POSE['motion.translation'][:, 0])


def test_motion_matrices():
    matrices = first_motion().matrix()
    POSE.check('motion.matrix', matrices, POSE_LIMIT)
    POSE.check('motion.matrix_inverted', invert_rigid(matrices), POSE_LIMIT)


def test_intrinsics():
    camera = pad(make_inputs()['cam2img'], (0, 1, 0, 1))
    camera[:, 3, 3] = 1
    POSE.check('K', camera, 1e-6)
    inverse = torch.linalg.inv(camera)
    POSE.check('inv_K', inverse, 1e-5, inverse.abs() + 1e-3)  # singular values in float32 there


def test_warp():
    depth = 2 + 8 * recipe.image('hybrid_depth.warp', (1, 3, 224, 672))[:, :1]
    images = triplet()
    objective = ReprojectionObjective()
    views = objective.views(images[0], images[-1][None], POSE['K'][:, :3, :3])
    found = objective(views, depth, first_motion().matrix()[:1][None], depth)
    POSE.check('warp.grid', found.grid[0], POSE_LIMIT)
    POSE.check('warp.warped', found.warped[0], LIMITS['warped'], scale=1)
    POSE.check('warp.photometric', found.errors[0], LIMITS['photometric'], scale=1)


@torch.no_grad()
def test_pose_net(model):
    images, pose_net = triplet(), model.pose_net
    last = pose_net.encoder([images[0], images[1]])
    POSE.check('eval.pose_layer4', last, POSE_LIMIT)
    for name, first in (('-1', -1), ('+1', 0)):
        pair = [images[first], images[first + 1]]
        motions = pose_net.decoder([pose_net.encoder(pair)])[:, :, None]
        POSE.check(f'eval.axisangle.{name}', motions[..., :3], POSE_LIMIT)
        POSE.check(f'eval.translation.{name}', motions[..., 3:], POSE_LIMIT)
        used = pose_net(*map(Frame, pair))
        assert torch.equal(torch.cat((used.axis_angle, used.translation), 1), motions[:, 0, 0])
        matrix = model.relative_pose(*pair)
        matrix = invert_rigid(matrix) if first < 0 else matrix
        POSE.check(f'eval.cam_T_cam.{name}', matrix, POSE_LIMIT)


@torch.no_grad()
def test_loss_in_eval_mode(model):
    inputs = make_inputs()
    found = model.compare(inputs)[0]
    model.compare = lambda _: {0: found}
    losses = model(inputs, mode='loss')
    del model.compare
    check_comparison(
        STEP, 'eval', model, inputs, found, losses, LIMITS['disparity'], LIMITS['loss']
    )
