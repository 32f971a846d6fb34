"""Intrinsics of ROS, nerfstudio and KITTI, and static transforms."""

import json

import numpy as np
import pytest
import yaml

from hybrid_depth.rigs.calibration_files import read_intrinsics
from hybrid_depth.rigs.description import read_description
from hybrid_depth.rigs.importer import import_rig
from hybrid_depth.rigs.lens import Lens
from hybrid_depth.rigs.mounting import AXES, read_pose
from hybrid_depth.rigs.static_transforms import pose_in, read_transforms
from tests.borders.refusal import refused

K = [100.0, 0, 70, 0, 101.0, 50, 0, 0, 1]
ROS = dict(
    image_width=144,
    image_height=96,
    camera_matrix=dict(rows=3, cols=3, data=K),
    distortion_model='plumb_bob',
    distortion_coefficients=dict(rows=1, cols=5, data=[0.1, 0.01, 0, 0, 0]),
)
MESSAGE = dict(width=144, height=96, k=K, distortion_model='equidistant', d=[0.1, 0, 0, 0])


def written(path, content):
    if path.suffix == '.yaml':
        path.write_text(yaml.safe_dump(content))
    elif path.suffix == '.json':
        path.write_text(json.dumps(content))
    else:
        path.write_text(content)
    return path


def test_ros(tmp_path):
    found = read_intrinsics(written(tmp_path / 'a.yaml', ROS), None, 'left')
    assert found.matrix.ravel().tolist() == K and found.size.tolist() == [144, 96]
    assert found.lens == Lens('radial', (0.1, 0.01, 0.0, 0.0, 0.0))
    found = read_intrinsics(written(tmp_path / 'b.yaml', MESSAGE), None, 'left')
    assert found.lens == Lens('fisheye', (0.1, 0.0, 0.0, 0.0))
    straight = dict(MESSAGE, d=[0, 0, 0, 0])
    assert read_intrinsics(written(tmp_path / 'c.yaml', straight), None, 'left').lens is None


def test_nerfstudio(tmp_path):
    content = dict(fl_x=100, fl_y=101, cx=70.5, cy=50.5, w=144, h=96, k1=0.1)
    found = read_intrinsics(written(tmp_path / 'transforms.json', content), None, 'left')
    assert found.matrix.ravel().tolist() == K  # its centre of the first pixel is 0.5
    assert found.lens == Lens('radial', (0.1, 0.0, 0.0, 0.0, 0.0))


def test_kitti(tmp_path):
    text = 'P2: 100 0 70 -4 0 101 50 0 0 0 1 0\nTr: 1 0 0 0 0 1 0 0 0 0 1 0\n'
    path = written(tmp_path / 'calib.txt', text)
    assert read_intrinsics(path, 'P2', 'left').matrix.ravel().tolist() == K
    with refused('entry:', 'P2', "'P3'"):
        read_intrinsics(path, 'P3', 'left')


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('a.yaml', {**ROS, 'distortion_model': 'omni'}, ('plumb_bob', "'omni'")),
        ('a.yaml', dict(width=3), ('camera_matrix or K or k',)),
        ('a.yaml', {**MESSAGE, 'd': [1, 2]}, ('4 coefficients of fisheye',)),
        ('a.json', dict(fl_x=3), ('fl_y', 'one camera')),
        ('a.json', dict(camera_model='EQUIRECTANGULAR'), ('OPENCV', 'EQUIRECTANGULAR')),
        ('a.xml', '', ('.yaml (ROS camera_info)',)),
    ],
)
def test_other_files(name, content, words, tmp_path):
    with refused('left', *words):
        read_intrinsics(written(tmp_path / name, content), None, 'left')


def transform(parent, child, position, quaternion):
    names = dict(zip('xyzw', map(float, quaternion), strict=True))
    return dict(
        header=dict(frame_id=parent),
        child_frame_id=child,
        transform=dict(translation=dict(zip('xyz', position, strict=True)), rotation=names),
    )


def test_static_transforms(tmp_path):
    """base_link to roof to camera, its optical frame as in REP 103."""
    items = [
        transform('base_link', 'roof', [1, 0, 2], [0, 0, 0, 1]),
        transform('/roof', 'left', [0, 0.5, 0], [0, 0, np.sqrt(0.5), np.sqrt(0.5)]),
        transform('left', 'left_optical', [0, 0, 0], [-0.5, 0.5, -0.5, 0.5]),
        transform('map', 'base_link', [9, 9, 9], [0, 0, 0, 1]),
    ]
    transforms = read_transforms(written(tmp_path / 'tf.yaml', dict(transforms=items)))
    found = pose_in(transforms, 'left_optical', 'base_link', 'left')
    assert np.allclose(found[:3, 3], [1, 0.5, 2])
    assert np.allclose(found[:3, 2], [0, 1, 0]) and np.allclose(found[:3, 1], [0, 0, -1])
    assert np.allclose(pose_in(transforms, 'roof', 'left', 'x')[:3, 3], [-0.5, 0, 0])
    with refused('between top and base_link', 'left_optical'):
        pose_in(transforms, 'top', 'base_link', 'left')
    items[0]['transform'].pop('rotation')
    with refused('transform 0', 'rotation (x, y, z, w)'):
        read_transforms(written(tmp_path / 'tf.yaml', dict(transforms=items)))


def test_a_vehicle_of_ros_files(rig):
    """Files instead of numbers give the same camera."""
    before = read_description(rig.path).drives[0].cameras['left']
    fx, fy, cx, cy = rig.camera['matrix']
    info = dict(MESSAGE, k=[fx, 0, cx, 0, fy, cy, 0, 0, 1], d=[0, 0, 0, 0])
    (rig.root / 'left.yaml').write_text(yaml.safe_dump(info))
    pose = read_pose(rig.camera, 'left')
    pose[:3, :3] = pose[:3, :3] @ AXES['ros']
    w, x, y, z = quaternion_of(pose[:3, :3])
    static = [transform('base_link', 'left_optical', pose[:3, 3].tolist(), [x, y, z, w])]
    (rig.root / 'tf.yaml').write_text(yaml.safe_dump(dict(transforms=static)))
    rig.content['cameras']['left'] = dict(
        files='left/*.jpg', calibration='left.yaml', frame='left_optical'
    )
    after = read_description(rig.write(static_transforms='tf.yaml')).drives[0].cameras['left']
    assert np.allclose(after.cam2ego, before.cam2ego, atol=1e-9)
    assert np.allclose(after.cam2img, before.cam2img)
    with refused('left', 'static_transforms: FILE'):
        import_rig(rig.write())


def quaternion_of(rotation):
    """(w, x, y, z) of a rotation of less than half a turn."""
    w = np.sqrt(1 + np.trace(rotation)) / 2
    skew = rotation - rotation.T
    return [float(v) for v in (w, *(np.array([skew[2, 1], skew[0, 2], skew[1, 0]]) / (4 * w)))]


def test_a_video_of_nerfstudio(rig):
    """Poses of one camera with OpenGL axes: the same motion of the vehicle."""
    drive = read_description(rig.path).drives[0]
    nose = drive.cameras['nose']
    frames = []
    for path, time in zip(nose.images, nose.times, strict=True):
        pose = drive.trajectory.at(time) @ nose.cam2ego
        pose[:3, :3] = pose[:3, :3] @ np.diag([1, -1, -1])
        frames.append(dict(file_path=path.name, transform_matrix=pose.tolist()))
    content = dict(
        fl_x=nose.cam2img[0, 0], fl_y=nose.cam2img[1, 1], cx=nose.cam2img[0, 2] + 0.5,
        cy=nose.cam2img[1, 2] + 0.5, w=nose.size[0], h=nose.size[1], frames=frames[::-1],
    )  # fmt: skip
    (rig.root / 'drive_00/transforms.json').write_text(json.dumps(content))
    camera = rig.content['cameras']['nose']
    camera.pop('matrix')
    rig.write(
        drives=['drive_00'],
        val=None,
        boxes=None,
        cameras=dict(nose=dict(camera, calibration='transforms.json')),
        poses=dict(file='transforms.json', format='nerfstudio', of='nose'),
    )
    (found,) = read_description(rig.path).drives
    first = np.linalg.inv(drive.trajectory.at(nose.times[0]))
    for time in nose.times:
        assert np.allclose(found.trajectory.at(time), first @ drive.trajectory.at(time), atol=1e-6)
    assert np.allclose(found.cameras['nose'].cam2img, nose.cam2img)
