"""Poses in all forms give the same camera."""

import numpy as np
import pytest

from hybrid_depth.datasets.poses import quaternion_to_matrix
from hybrid_depth.rigs.mounting import read_pose, rpy_to_matrix, with_camera_axes


def test_rpy_turns_about_fixed_axes_in_order():
    """A camera turned by 90 degrees to the left that then looks down: REP 103."""
    roll, pitch, yaw = (np.eye(3) for _ in range(3))
    a, b, c = np.radians([10, 20, 30])
    roll[1:, 1:] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    pitch[::2, ::2] = [[np.cos(b), np.sin(b)], [-np.sin(b), np.cos(b)]]
    yaw[:2, :2] = [[np.cos(c), -np.sin(c)], [np.sin(c), np.cos(c)]]
    assert np.allclose(rpy_to_matrix([10, 20, 30]), yaw @ pitch @ roll)
    forward = rpy_to_matrix([0, 20, 90])[:, 0]
    assert np.allclose(forward, [0, np.cos(b), -np.sin(b)])  # to the left, and down


@pytest.mark.parametrize('form', ['matrix', 'rows', 'quaternion', 'rpy', 'ros'])
def test_forms(form):
    """A camera that looks 30 degrees to the left."""
    optical = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    expected = np.eye(4)
    expected[:3, :3], expected[:3, 3] = rpy_to_matrix([0, 0, 30]) @ optical, (1, 2, 3)
    half = np.radians(15)
    turn = [np.cos(half), 0, 0, np.sin(half)]
    given = dict(
        matrix=dict(pose=expected.tolist()),
        rows=dict(pose=expected[:3].ravel().tolist()),
        quaternion=dict(position=[1, 2, 3], quaternion=turn),
        rpy=dict(position=[1, 2, 3], rpy=[-90, 0, -60]),
        ros=dict(position=[1, 2, 3], rpy=[0, 0, 30]),
    )[form]
    assert np.allclose(quaternion_to_matrix(turn), rpy_to_matrix([0, 0, 30]))
    axes = 'ros' if form in ('quaternion', 'ros') else 'camera'
    assert np.allclose(with_camera_axes(read_pose(given, 'left'), axes, 'left'), expected)


def test_opengl_axes():
    """nerfstudio: the camera looks along -z, y up."""
    turned = with_camera_axes(np.eye(4), 'opengl', 'left')
    assert np.allclose(turned[:3, 2], [0, 0, -1]) and np.allclose(turned[:3, 1], [0, -1, 0])
