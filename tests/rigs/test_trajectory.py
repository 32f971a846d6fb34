"""Poses of the vehicle: files, interpolation, and poses that no vehicle drives."""

import numpy as np
import pytest

from hybrid_depth.rigs.mounting import rpy_to_matrix
from hybrid_depth.rigs.trajectory import Trajectory, read_trajectory
from tests.borders.refusal import refused


def poses(count=5, speed=10.0, rate=10.0):
    found = np.tile(np.eye(4), (count, 1, 1))
    for place in range(count):
        found[place, :3, :3] = rpy_to_matrix([0, 0, 3 * place])
        found[place, :3, 3] = (speed * place / rate, 1.0, 0.2)
    return np.arange(count) / rate, found


def quaternion(matrix):
    yaw = np.arctan2(matrix[1, 0], matrix[0, 0])
    return [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]


def write(path, kind, times, matrices):
    lines = ['time,x,y,z,qw,qx,qy,qz'] if kind == 'csv' else ['# a comment']
    for time, pose in zip(times, matrices, strict=True):
        w, x, y, z = quaternion(pose)
        position = pose[:3, 3].tolist()
        row = dict(
            tum=[time, *position, x, y, z, w],
            csv=[time, *position, w, x, y, z],
            kitti=pose[:3].ravel().tolist(),
        )[kind]
        lines.append((',' if kind == 'csv' else ' ').join(map(str, row)))
    path.write_text('\n'.join(lines) + '\n')
    return path


@pytest.mark.parametrize('kind', ['tum', 'csv', 'kitti'])
def test_formats(kind, tmp_path):
    times, matrices = poses()
    path = write(tmp_path / 'poses', kind, times, matrices)
    found = read_trajectory(path, kind, times, np.eye(4))
    assert np.allclose(found.times, times) and np.allclose(found.poses, matrices)


def test_poses_of_a_camera(tmp_path):
    times, matrices = poses()
    cam2ego = np.eye(4)
    cam2ego[:3, :3], cam2ego[:3, 3] = rpy_to_matrix([-90, 0, -90]), (1.5, 0, 1.2)
    path = write(tmp_path / 'poses', 'kitti', times, matrices @ cam2ego)
    assert np.allclose(read_trajectory(path, 'kitti', times, cam2ego).poses, matrices)


def test_between_poses():
    times, matrices = poses()
    found = Trajectory(times, matrices, 'poses.txt')
    middle = found.at(0.25)
    assert np.allclose(middle[:3, 3], (2.5, 1.0, 0.2))
    assert np.allclose(middle[:3, :3], rpy_to_matrix([0, 0, 7.5]))
    assert np.allclose(found.at(0.3), matrices[3]) and np.allclose(found.at(9.0), matrices[-1])
    assert found.covers(0.45, 0.1) and not found.covers(0.6, 0.1) and not found.covers(-0.2, 0.1)


@pytest.mark.parametrize('fault', ['jump', 'millimetres', 'turn', 'repeated'])
def test_poses_that_no_vehicle_drives(fault):
    times, matrices = poses()
    words = ('poses.txt', 'jumps between 0.200 and 0.300 s', 'metres')
    if fault == 'jump':
        matrices[3:, 0, 3] += 30.0
    elif fault == 'millimetres':
        matrices[:, :3, 3] *= 1000
        words = ('m/s', '4 of 4 steps', 'metres')
    elif fault == 'turn':
        matrices[3:, :3, :3] = rpy_to_matrix([0, 0, 120])
        words = ('degrees/s', 'qx qy qz qw')
    else:
        times[3] = times[2]
        words = ('increasing times', '0.200000 s after 0.200000 s')
    with refused(*words):
        Trajectory(times, matrices, 'poses.txt')


@pytest.mark.parametrize(
    ('kind', 'text', 'words'),
    [
        ('tum', '0 1 2 3\n', ('line 1', '8 numbers', '0 1 2 3')),
        ('tum', '0 0 0 0 1 1 1 1\n', ('quaternion', 'length 1')),
        ('tum', '', ('expected poses, got none',)),
        ('csv', 'time,x,y,z\n0,1,2,3\n', ('without qw, qx, qy, qz',)),
        ('kitti', '1 0 0 0 0 1 0 0 0 0 1 0\n', ('a pose per image', '5, got 1')),
        ('g2o', '', ('tum, kitti, csv', "'g2o'")),
        ('tum', '0 1 2 nan 0 0 0 1\n', ('8 numbers',)),
    ],
)
def test_files_of_other_forms(kind, text, words, tmp_path):
    path = tmp_path / 'poses'
    path.write_text(text)
    with refused(str(path), *words):
        read_trajectory(path, kind, np.arange(5.0), np.eye(4))
