import numpy as np
import pytest

from hybrid_depth.calibration_checks import (
    check_boxes,
    check_camera,
    check_image_size,
    check_rigid,
    known_velocities,
)
from hybrid_depth.errors import DepthDataError

NAN, INF = np.nan, np.inf
CAMERA = np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1.0]])
SIZE = (1242, 375)


def changed(matrix, place, value):
    matrix = np.array(matrix, dtype=float)
    matrix[place] = value
    return matrix


CAMERAS = {
    'NaN focal length': (changed(CAMERA, (0, 0), NAN), 'finite'),
    'NaN centre': (changed(CAMERA, (1, 2), NAN), 'finite'),
    'infinity': (changed(CAMERA, (1, 1), INF), 'finite'),
    'all NaN': (CAMERA * NAN, 'finite'),
    'zero': (CAMERA * 0, 'positive focal'),
    'zero focal length': (changed(CAMERA, (1, 1), 0), 'positive focal'),
    'negative focal length': (changed(CAMERA, (0, 0), -721.5), 'positive focal'),
    'identity': (np.eye(3), 'relative to the size'),
    'relative': ([[0.58, 0, 0.5], [0, 1.92, 0.5], [0, 0, 1]], 'relative to the size'),
    'scaled as a whole': (2 * CAMERA, 'expected intrinsics'),
    'transposed': (CAMERA.T, 'expected intrinsics'),
    'last row zero': (changed(CAMERA, (2, 2), 0), 'expected intrinsics'),
    'skewed': (changed(CAMERA, (0, 1), 100), 'expected intrinsics'),
    'fx fy cx cy k1': ([721, 721, 610, 173, -0.3, 0.1, 0, 0, 0], 'shape'),
    'of half the size': (CAMERA * [[0.5], [0.5], [1]], 'another size'),
    'of twice the size': (CAMERA * [[2.0], [2], [1]], 'another size'),
    'of a third of the size': (CAMERA * [[1 / 3], [1 / 3], [1]], 'another size'),
    'of another width': (CAMERA * [[0.5], [1], [1]], 'another size'),
    'centre below': (changed(CAMERA, (1, 2), 400), 'another size'),
    'width and height swapped': (CAMERA[[1, 0, 2]][:, [1, 0, 2]], 'swapped'),
    'in millimetres': (changed(changed(CAMERA, (0, 0), 4.2), (1, 1), 4.2), 'angle of view'),
    'very long': (changed(changed(CAMERA, (0, 0), 1e5), (1, 1), 1e5), 'angle of view'),
    'a stack': (np.stack([CAMERA, CAMERA]), 'shape'),
    '3 x 4': (np.eye(3, 4), 'shape'),
    'numbers': (3.0, 'shape'),
    'nothing': (None, 'intrinsics'),
    'text': ([['a', 'b', 'c']] * 3, 'intrinsics'),
    'rows of other lengths': ([[1, 2, 3], [1, 2], [1]], 'intrinsics'),
    'a dict': (dict(fx=1), 'intrinsics'),
}


@pytest.mark.parametrize('case', CAMERAS)
def test_cameras_are_refused(case):
    matrix, message = CAMERAS[case]
    with pytest.raises(DepthDataError, match=f'sample 7, CAM_LEFT.*{message}'):
        check_camera(matrix, 'sample 7, CAM_LEFT', SIZE)


@pytest.mark.parametrize(
    ('matrix', 'size'),
    [
        (CAMERA, SIZE),
        ([[1266.4, 0, 816.3], [0, 1266.4, 491.5], [0, 0, 1]], (1600, 900)),  # nuScenes
        ([[809.2, 0, 829.2], [0, 809.2, 481.8], [0, 0, 1]], (1600, 900)),  # its wide camera
        ([[2262.5, 0, 1097.0], [0, 2265.3, 513.1], [0, 0, 1]], (2048, 1024)),  # Cityscapes
        ([[500, 0.5, 320], [0, 500, 150], [0, 0, 1]], (640, 400)),  # small skew, sky cut off
        ([[25, 0, 16], [0, 25, 9], [0, 0, 1]], (32, 18)),
        ([['721.5', 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]], SIZE),
    ],
)
def test_cameras_are_accepted(matrix, size):
    found = check_camera(matrix, 'test', size)
    assert found.dtype == np.float64 and found.shape == (3, 3)


def test_without_a_size_only_the_matrix_is_checked():
    check_camera(CAMERA / [[2], [2], [1]], 'test')
    with pytest.raises(DepthDataError, match='positive'):
        check_camera(-CAMERA, 'test')


def turn(angle=0.3, scale=1.0):
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    pose[:3, :3] *= scale
    pose[:3, 3] = (600.0, 1600.0, 0.5)
    return pose


POSES = {
    'NaN rotation': (changed(turn(), (0, 0), NAN), 'finite'),
    'NaN translation': (changed(turn(), (2, 3), NAN), 'finite'),
    'infinite translation': (changed(turn(), (0, 3), -INF), 'finite'),
    'zero': (np.zeros((4, 4)), 'rotation'),
    'zero rotation': (changed(turn(), (slice(3), slice(3)), 0), 'rotation'),
    'scaled by 1000': (turn(scale=1000), 'rotation'),
    'scaled by 2': (turn(scale=2), 'rotation'),
    'scaled by 1 %': (turn(scale=1.01), 'rotation'),
    'scaled by 0.5': (turn(scale=0.5), 'rotation'),
    'mirrored': (turn() @ np.diag([1.0, -1, 1, 1]), 'mirror'),
    'inverted': (turn(scale=-1), 'mirror'),
    'one zero row': (changed(turn(), 1, 0), 'rotation'),
    'sheared': (changed(turn(), (0, 2), 0.2), 'rotation'),
    'transposed': (turn().T, 'last row'),
    'last row zero': (changed(turn(), 3, 0), 'last row'),
    'far away': (changed(turn(), (0, 3), 1e30), 'metres'),
    '3 x 4': (turn()[:3], 'shape'),
    '3 x 3': (turn()[:3, :3], 'shape'),
    'flat': (turn().ravel(), 'shape'),
    'nothing': (None, 'rigid'),
    'text': ('identity', 'rigid'),
    'one of many': (np.stack([turn(), turn(0.1), turn(scale=2)]), 'number 2: .*rotation'),
    'NaN in one of many': (np.stack([turn(), turn() * NAN]), 'number 1: .*finite'),
}


@pytest.mark.parametrize('case', POSES)
def test_poses_are_refused(case):
    pose, message = POSES[case]
    with pytest.raises(DepthDataError, match=f'(?s)sample 7, lidar2ego.*{message}'):
        check_rigid(pose, 'sample 7, lidar2ego')


@pytest.mark.parametrize('kind', [np.float64, np.float32, np.float16])
def test_rounded_poses_are_accepted(kind):
    poses = np.stack([turn(angle) for angle in np.linspace(0, 6, 50)]).astype(kind)
    assert check_rigid(poses, 'test').shape == (50, 4, 4)
    assert check_rigid(poses[0].tolist(), 'test').dtype == np.float64
    assert check_rigid(np.empty((0, 4, 4)), 'test').shape == (0, 4, 4)


@pytest.mark.parametrize(
    'box',
    [
        (NAN, 0, 0, 4, 2, 1.5, 0),
        (5, 0, INF, 4, 2, 1.5, 0),
        (5, 0, 0, NAN, 2, 1.5, 0),
        (5, 0, 0, 0, 2, 1.5, 0),
        (5, 0, 0, 4, -2, 1.5, 0),
        (5, 0, 0, 4, 2, 0.0, 0),
        (5, 0, 0, 4, 2, -0.0, 0),
        (5, 0, 0, 4, 2, 1.5, NAN),
        (5, 0, 0, 0, 0, 0, 0),
        (NAN,) * 7,
    ],
)
def test_boxes_that_cannot_be_used(box):
    good = (5, 0, 0, 4, 2, 1.5, 7.0)
    assert check_boxes(np.array([good, box, good])).tolist() == [True, False, True]
    assert check_boxes(np.empty((0, 7))).shape == (0,)


def test_a_velocity_with_one_nan_is_unknown():
    rows = np.array([[1.0, 2], [NAN, 2], [1, NAN], [NAN, NAN], [INF, 0]])
    assert known_velocities(rows).tolist() == [True, False, False, False, False]


def test_images_of_another_size():
    check_image_size((1242, 375), (1242, 375), 'a.png')
    for size in ((375, 1242), (1241, 375), (621, 187), (1242, 376)):
        with pytest.raises(DepthDataError, match='a.png: expected 1242x375'):
            check_image_size(size, (1242, 375), 'a.png')
