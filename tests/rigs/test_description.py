"""Descriptions that cannot be used are refused with the place, what was got, and what to do."""

import numpy as np
import pytest

from hybrid_depth.rigs.description import read_description
from hybrid_depth.rigs.importer import import_rig
from tests.borders.refusal import refused


def test_the_description_of_the_toy_vehicle_has_at_most_20_lines(toy_vehicle):
    assert len((toy_vehicle / 'rig.yaml').read_text().splitlines()) <= 20
    described = read_description(toy_vehicle / 'rig.yaml')
    assert [drive.name for drive in described.drives] == ['drive_00']
    assert [drive.name for drive in described.val_drives] == ['drive_01']


def test_one_folder_of_all_files(rig):
    rig.write(root='drive_00', drives=None, val=None)
    (drive,) = read_description(rig.path).drives
    assert drive.name == 'drive_00' and len(drive.cameras['tail'].images) == 3


def edited(rig, camera=None, **changes):
    rig.camera.update(camera or {})
    return rig.write(**changes)


BAD = {
    'unknown key': (dict(camera=dict(focal=3)), ('left', "'focal'", 'matrix')),
    'similar key': (dict(camera=dict(distorsion=3)), ("did you mean 'distortion'",)),
    'no cameras': (dict(cameras={}), ('cameras:', '{}')),
    'no files': (dict(camera=dict(files='lefft/*.jpg')), ('lefft', 'left/', 'remove this camera')),
    'absolute pattern': (dict(camera=dict(files='/data/*.jpg')), ('/data/*.jpg', 'root')),
    'matrix of 5': (dict(camera=dict(matrix=[1, 2, 3, 4, 5])), ('4 or 9 numbers', 'fx fy cx cy')),
    'text matrix': (dict(camera=dict(matrix='abc')), ('4 or 9 numbers', 'abc')),
    'swapped': (dict(camera=dict(matrix=[55, 55, 47.5, 71.5])), ('left', 'height are swapped')),
    'relative': (dict(camera=dict(matrix=[0.4, 0.6, 0.5, 0.5])), ('relative to the size',)),
    'other size': (dict(camera=dict(size=[96, 144])), ('width and height are swapped',)),
    'cropped': (dict(camera=dict(size=[144, 144])), ('cropped',)),
    'millimetres': (dict(camera=dict(position=[1000, 900, 1200])), ('millimetres', 'left')),
    'no rotation': (dict(camera=dict(rpy=None)), ('one of quaternion, rpy', 'got none')),
    'two rotations': (dict(camera=dict(quaternion=[1, 0, 0, 0])), ('got quaternion, rpy',)),
    'zero quaternion': (
        dict(camera=dict(rpy=None, quaternion=[0, 0, 0, 0])), ('length 1', '(w, x, y, z)'),
    ),
    'left-handed': (
        dict(camera=dict(rpy=None, position=None, pose=np.diag([1, -1, 1, 1]).tolist())),
        ('mirror image',),
    ),
    'axes': (dict(camera=dict(axes='nwu')), ('camera, ros', "'nwu'")),
    'lens': (dict(camera=dict(distortion=dict(radial=[1, 2, 3]))), ('4 or 5 or 8 numbers',)),
    'lens model': (dict(camera=dict(distortion=dict(omni=[1]))), ('radial, fisheye', "'omni'")),
    'unit': (dict(times='ms'), ('expected', '0.001 to 100 s', 'unit')),
    'time spec': (dict(times=dict(fps=3)), ('hz, csv', "'fps'")),
    'no drives': (dict(drives=['tour_*']), ('tour_*', 'got none')),
    'unknown val': (dict(val=['drive_07']), ('drive_00, drive_01', 'got drive_07')),
    'val of all': (dict(val=1.5), ('fraction below 1',)),
    'poses of': (dict(poses=dict(file='poses.txt', of='top')), ('vehicle', "'top'")),
    'poses format': (dict(poses=dict(file='poses.txt', format='kitti')), ('12 numbers', 'line 1')),
    'no pose file': (dict(poses='track.txt'), ('track.txt',)),
    'box frame': (dict(boxes=dict(file='boxes.csv', frame='camera')), ('vehicle, world',)),
    'classes': (dict(classes=dict(vehicle='far')), ('classes, vehicle', "'far'")),
    'keyframes': (dict(keyframes='top'), ('nose, left, right, tail', "'top'")),
    'tolerance': (dict(tolerance=0), ('tolerance', 'above 0')),
    'both formats': (dict(dgp='scene.json'), ('dgp', 'boxes, cameras')),
}  # fmt: skip


@pytest.mark.parametrize('name', sorted(BAD))
def test_bad_descriptions_are_named(name, rig):
    changes, words = BAD[name]
    with refused(*words):
        import_rig(edited(rig, **changes))


def test_a_calibration_at_another_resolution(rig):
    """At twice the size: focal length halved, centre of the first pixel kept."""
    width, height = read_description(rig.path).drives[0].cameras['left'].size
    matrix = rig.camera['matrix']
    before = read_description(rig.path).drives[0].cameras['left'].cam2img
    rig.camera['matrix'] = [2 * matrix[0], 2 * matrix[1], *(2 * c + 0.5 for c in matrix[2:])]
    rig.camera['size'] = [2 * width, 2 * height]
    after = read_description(rig.write()).drives[0].cameras['left'].cam2img
    assert np.allclose(before, after)


def test_times_of_another_clock(rig):
    for path in (rig.root / 'drive_00/right').iterdir():
        path.rename(path.with_name(f'{int(path.stem) + 10**9}.jpg'))
    with refused('right', 'clock', '1600000000'):
        import_rig(rig.path)


def test_poses_of_another_clock(rig):
    path = rig.root / 'drive_00/poses.txt'
    lines = path.read_text().replace('\n16', '\n15').replace('16', '15', 1)
    path.write_text(lines)
    with refused('0 of 3', 'poses.txt', 'unit, clock'):
        import_rig(rig.path)


def test_a_world_whose_z_axis_is_not_up(rig):
    """Poses of the camera, given as the vehicle's."""
    path = rig.root / 'drive_00/poses.txt'
    rows = np.loadtxt(path)
    rows[:, 4:] = [-0.5, 0.5, -0.5, 0.5]
    np.savetxt(path, rows, fmt='%.9f')
    with refused('poses.txt', 'z axis points up', 'of: CAMERA'):
        import_rig(rig.path)
