import torch

from hybrid_depth.geometry import (
    DepthBins,
    cell_pixels,
    create_frustum,
    ground_plane_depth,
    lift_frustum,
)
from tests.golden.bevdet import official_rig
from tests.visualization.scene import make_rig


def test_level_camera_has_the_closed_form():
    # z = f h / (v - cy) for a level camera
    # (docs/reference/ground_plane.md, "Depth of the ground plane")
    rig = make_rig()
    pixels = torch.tensor([[[100.0, 0.0]], [[100.0, 300.0]]])
    k, height = rig.cam2img[0, 0], rig.cam2ego[0, 0, 2, 3]
    down = -rig.cam2ego[0, 0, 2, :3]
    ray = torch.stack(((pixels[1, 0, 0] - k[0, 2]) / k[0, 0], (300 - k[1, 2]) / k[1, 1], k[2, 2]))
    depth = ground_plane_depth(pixels, rig, max_depth=1e6)[0, 0]
    torch.testing.assert_close(depth[1, 0], height / (down @ ray.to(down)))


def test_ground_pixels_lift_to_the_ground():
    rig = official_rig('aug').to(torch.float64)
    pixels = cell_pixels((16, 44), (256, 704))
    depth = ground_plane_depth(pixels, rig, max_depth=60.0)
    assert (depth > 0).any() and (depth == 0).any() and depth.max() <= 60
    bins = DepthBins(1.0, 60.0, step=1.0)
    frustum = create_frustum(bins.anchors, (16, 44), (256, 704), 'centres').to(depth)
    for cam in range(depth.shape[1]):
        frustum[0, ..., 2] = depth[0, cam]
        points = lift_frustum(frustum[:1], rig)[0, cam, 0]
        height = points[depth[0, cam] > 0][:, 2]
        assert height.abs().max() < 1e-6
