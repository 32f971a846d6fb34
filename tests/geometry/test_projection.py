import pytest
import torch

from hybrid_depth.geometry.poses import Motion
from hybrid_depth.geometry.projection import back_project, project, sample, scale_intrinsics
from tests.golden.monodepth2 import cam2img, image, values
from tests.golden.reader import Golden

LAYERS = Golden('monodepth2_layers')
SIZE = (2, 18, 50)


@pytest.fixture
def scene():
    depth = (0.5 + 20 * image('depth', (3, 18, 50)))[:2, None]
    turn = 0.3 * values('axisangle', (4, 1, 3))[:2, 0]
    motion = Motion(0.1 * turn, 0.5 * values('translation', (4, 1, 3))[:2, 0])
    return depth, cam2img(SIZE), motion.matrix()


def sensitivity(points, transform, grid):
    """(B, H, W, 2) change of a grid position by a relative error of its point.

    The place is a quotient: near the plane of the camera, where some points of any draw may lie,
    rounding of their depth moves it without bound.
    """
    depth = transform[:, 2:3, :3] @ points + transform[:, 2:3, 3:]
    largest = points.abs().amax() + transform[:, :3, 3].abs().amax()
    return (1 + grid.abs()) * largest / depth.abs().view(*grid.shape[:3], 1)


def test_golden(scene):
    depth, intrinsics, transform = scene
    points = back_project(depth, intrinsics)
    homogeneous = torch.cat([points, torch.ones(2, 1, 900)], dim=1)
    LAYERS.check('backproject', homogeneous, 1e-5)
    grid = project(points, intrinsics, transform, SIZE[1:])
    LAYERS.check('project', grid, 1e-6, sensitivity(points, transform, grid))
    for convention in (0, 1):  # at the stored positions: rounding may be large, see above
        warped = sample(image('warp', (2, 3, 18, 50)), LAYERS['project'], bool(convention))
        LAYERS.check(f'warp.align_corners_{convention}', warped, 1e-5)


def test_golden_behind_the_camera(scene):
    depth, intrinsics, transform = scene
    transform[:, 2, 3] -= 8
    points = back_project(depth, intrinsics)
    grid = project(points, intrinsics, transform, SIZE[1:])
    LAYERS.check('project.behind', grid, 1e-6, sensitivity(points, transform, grid))


def test_static_camera_keeps_the_image(scene):
    depth, intrinsics, _ = scene
    grid = project(back_project(depth, intrinsics), intrinsics, torch.eye(4), SIZE[1:])
    image = torch.rand(2, 3, 18, 50)
    assert torch.allclose(sample(image, grid), image, atol=1e-4)


def test_sideways_motion_shifts_by_focal_length_over_depth(scene):
    _, intrinsics, _ = scene
    depth = torch.full((2, 1, 18, 50), 10.0)
    transform = torch.eye(4)
    transform[0, 3] = 10 * 2 / intrinsics[0, 0, 0]
    grid = project(back_project(depth, intrinsics), intrinsics, transform, SIZE[1:])
    image = torch.rand(2, 3, 18, 50)
    assert torch.allclose(sample(image, grid)[..., :-2], image[..., 2:], atol=1e-4)


def test_many_transforms_at_once(scene):
    depth, intrinsics, transform = scene
    points = back_project(depth, intrinsics)
    both = project(points, intrinsics, torch.stack([transform, transform.inverse()]), SIZE[1:])
    assert both.shape == (2, 2, 18, 50, 2)
    assert torch.equal(both[0], project(points, intrinsics, transform, SIZE[1:]))


def test_scaled_intrinsics():
    scaled = scale_intrinsics(cam2img((1, 100, 200)), x=0.5, y=0.25)
    assert torch.allclose(scaled, cam2img((1, 25, 100)))


def test_gradient():
    depth = 1 + torch.rand(1, 1, 2, 3, dtype=torch.float64)
    translation = torch.rand(1, 3, dtype=torch.float64)
    intrinsics = cam2img((1, 2, 3)).double()

    def grid(depth, translation):
        transform = Motion(torch.zeros(1, 3).double(), translation).matrix()
        return project(back_project(depth, intrinsics), intrinsics, transform, (2, 3))

    inputs = (depth.requires_grad_(), translation.requires_grad_())
    assert torch.autograd.gradcheck(grid, inputs)
