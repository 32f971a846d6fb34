import cv2
import numpy as np
import torch

from hybrid_depth.geometry import (
    DepthBins,
    GroundPlane,
    GroundPlaneFit,
    cell_pixels,
    create_frustum,
    ground_plane_depth,
    lift_frustum,
)
from hybrid_depth.geometry.ground_plane_fit import fit_ground_points
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


def test_planes_of_the_lidar_and_of_the_camera_agree():
    """The plane z = -1.73 of a LiDAR is that of a camera with a height and attitude of its own.

    The rays meet it in the LiDAR frame; a plane 1.65 m below the LiDAR is not one 1.65 m below the
    camera (docs/reference/ground_plane.md, "Camera heights").
    """
    rotation = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0.0]])  # LiDAR x ahead, z up, to camera
    rotation = cv2.Rodrigues(np.array([0.02, -0.01, 0.03]))[0] @ rotation
    lidar2cam = np.eye(4)
    lidar2cam[:3, :3], lidar2cam[:3, 3] = rotation, (0.06, -0.08, -0.27)
    cam2lidar = np.linalg.inv(lidar2cam)
    cam2img = np.array([[700.0, 0, 600], [0, 700, 180], [0, 0, 1]])
    pixels = np.stack(np.meshgrid(np.arange(0, 1200, 50), np.arange(220, 370, 10)), -1)
    rays = np.append(pixels, np.ones((*pixels.shape[:2], 1)), -1) @ np.linalg.inv(cam2img).T
    centre, directions = cam2lidar[:3, 3], rays @ cam2lidar[:3, :3].T

    def depth_in_the_lidar_frame(z):
        along = (z - centre[2]) / directions[..., 2]  # of rays with depth 1, thus depth
        return np.where((along > 0) & (along < 80), along, 0)

    def depth_in_the_camera_frame(below):
        ground = cam2lidar.copy()
        ground[2, 3] += below  # a frame on the ground
        plane = GroundPlane.from_pose(torch.from_numpy(ground))
        return plane, plane.depth(*map(torch.from_numpy, (pixels, cam2img)), 80.0).numpy()

    plane, depth = depth_in_the_camera_frame(1.73)
    assert (depth > 0).all()
    np.testing.assert_allclose(depth, depth_in_the_lidar_frame(-1.73), rtol=1e-9)
    points = (centre + directions * depth[..., None]).reshape(-1, 3)
    points = points @ rotation.T + lidar2cam[:3, 3]  # as a sweep, in the camera frame
    prior = GroundPlaneFit.from_calibration(GroundPlane.from_angles(1.65))
    fit = fit_ground_points(points, prior)
    np.testing.assert_allclose(fit.inverse, plane.inverse.numpy(), atol=1e-6)
    assert abs(float(plane.height) - 1.65) < 0.02
    assert np.median(depth_in_the_camera_frame(1.65)[1] / depth) < 0.96
