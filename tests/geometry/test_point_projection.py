"""Points to sparse depth maps."""

import numpy as np

from hybrid_depth.geometry.point_projection import project_nearest

ONE_CAMERA = dict(
    ego2cam=np.eye(4)[None],
    cam2img=np.array([[[10.0, 0, 8], [0, 10, 4], [0, 0, 1]]]),
    img_aug=np.eye(3)[None],
    size=(8, 16),
    depth_range=(1.0, 60.0),
)


def test_nearest_point_is_kept_in_any_order():
    points = np.array([[0.0, 0, 9], [0, 0, 5], [0, 0, 7]])
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        depth = project_nearest(points[order], **ONE_CAMERA)
        assert depth[0, 4, 8] == 5
        assert (depth > 0).sum() == 1


def test_range_and_border():
    points = np.array([[0, 0, 0.99], [0, 0, 60.0], [0, 0, -5.0], [-8.6, 0, 10], [7.6, 0, 10]])
    assert not project_nearest(points, **ONE_CAMERA).any()
    points = np.array([[0, 0, 1.0], [-8.4, 0, 10], [7.4, 3.4, 10]])
    assert (project_nearest(points, **ONE_CAMERA) > 0).sum() == 3
