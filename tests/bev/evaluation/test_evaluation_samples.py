"""Ground truth of info files: bicycle racks, own data and classes."""

import numpy as np
import pytest
from nuscenes.utils.data_classes import Box
from nuscenes.utils.geometry_utils import points_in_box
from pyquaternion import Quaternion

from benchmarks.detection_tables import make_infos, make_tables
from hybrid_depth.bev.evaluation.detection_boxes import DetectionBoxes
from hybrid_depth.bev.evaluation.detection_protocol import (
    DetectionProtocol,
    load_detection_protocol,
)
from hybrid_depth.bev.evaluation.detection_scores import score_detections
from hybrid_depth.bev.evaluation.evaluation_samples import read_samples
from hybrid_depth.bev.evaluation.quaternion_arrays import (
    about_z,
    product_matrices,
    rotated,
    rotation_matrices,
    yaws_of,
)
from tests.borders.refusal import refused

PROTOCOL = DetectionProtocol()


def test_bicycles_in_racks_by_the_devkit():
    random = np.random.default_rng(0)
    infos = make_infos(make_tables(2, 1))
    centre = np.array([row[3] for row in infos['data_list'][1]['ego2global'][:3]]) + [5, 3, 0]
    turn = Quaternion(axis=[0.1, 0.2, 1], radians=0.7)
    size = [2.0, 6.0, 1.5]
    infos['data_list'][1]['evaluation']['racks'] = [[*centre, *size, *turn.q]]
    tokens = [info['token'] for info in infos['data_list']]
    samples = read_samples(infos, tokens, PROTOCOL, 'memory')
    number = 400
    points = centre + random.uniform(-1, 1, (number, 3)) * [3, 3, 1]
    names = np.array(['bicycle', 'car', 'motorcycle', 'pedestrian'])[np.arange(number) % 4]
    boxes = DetectionBoxes(
        sample=(np.arange(number) // 4) % 2,
        label=np.array([PROTOCOL.classes.index(name) for name in names]),
        centre=points,
        size=np.ones((number, 3)),
        rotation=np.tile([1.0, 0, 0, 0], (number, 1)),
        velocity=np.zeros((number, 2)),
        attribute=np.full(number, -1),
        score=np.arange(number, dtype=float),
    )
    inside = points_in_box(Box(centre, size, turn), points.T)
    expected = ~(inside & (boxes.sample == 1) & np.isin(names, ['bicycle', 'motorcycle']))
    assert 10 < (~expected).sum() < 100
    near = samples.distance(boxes) < 40
    assert near.all()
    kept = samples.in_range(boxes, PROTOCOL)
    assert kept.score.tolist() == np.flatnonzero(expected).tolist()


def test_quaternions_equal_pyquaternion():
    random = np.random.default_rng(0)
    rotations = random.normal(size=(300, 4))
    rotations[::3] /= np.linalg.norm(rotations[::3], axis=1, keepdims=True)
    first = Quaternion(rotations[0])
    expected = [(first * Quaternion(q)).q for q in rotations]
    got = rotated(product_matrices(rotations[:1])[0], rotations)
    np.testing.assert_array_equal(got, expected)
    matrices = [Quaternion(q).rotation_matrix for q in rotations]
    np.testing.assert_array_equal(rotation_matrices(rotations), matrices)
    yaws = random.uniform(-4, 4, 300).astype(np.float32)
    yaws[0] = 0
    expected = [Quaternion(axis=[0, 0, 1], radians=yaw).q for yaw in yaws]
    np.testing.assert_array_equal(about_z(yaws), expected)
    np.testing.assert_allclose(np.sin(yaws_of(about_z(yaws)) - yaws), 0, atol=1e-6)


def own_infos(names: list[str]) -> dict:
    """Data of an own vehicle, with boxes for training only."""
    turn = Quaternion(axis=[0, 0, 1], radians=0.3).transformation_matrix
    turn[:3, 3] = [100.0, 50.0, 0.0]
    eye = np.eye(4).tolist()
    instances = [
        dict(bbox_3d=[10.0, 0, 1, 4, 2, 1.5, 0.5], bbox_label_3d=0, velocity=[1.0, 0.0]),
        dict(bbox_3d=[5.0, 4, 1, 1, 1, 2, 0.0], bbox_label_3d=1),
        dict(bbox_3d=[6.0, 4, 1, 1, 1, 2, 0.0], bbox_label_3d=1, bbox_3d_isvalid=False),
        dict(bbox_3d=[7.0, 4, 1, 1, 1, 2, 0.0], bbox_label_3d=-1),
    ]
    info = dict(
        token='t',
        ego2global=turn.tolist(),
        lidar_points=dict(lidar2ego=eye),
        images=dict(front=dict(lidar2cam=np.diag([1.0, 1, 1, 1]).tolist())),
        instances=instances,
    )
    categories = {name: label for label, name in enumerate(names)}
    return dict(metainfo=dict(categories=categories), data_list=[info])


def test_own_data_and_classes():
    protocol = load_detection_protocol(dict(ranges=dict(tram=60, cyclist=40)))
    infos = own_infos(['tram', 'cyclist'])
    infos['data_list'][0]['images']['front']['lidar2cam'] = [
        [0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1],
    ]  # fmt: skip
    samples = read_samples(infos, ['t'], protocol, 'own.pkl')
    truth = samples.truth(protocol)
    assert truth.label.tolist() == [0, 1]
    turn = np.array(infos['data_list'][0]['ego2global'])
    np.testing.assert_allclose(truth.centre[0], turn[:3, :3] @ [10, 0, 1] + turn[:3, 3])
    np.testing.assert_allclose(truth.velocity[0], turn[:2, 0])
    np.testing.assert_allclose(yaws_of(truth.rotation), [0.8, 0.3])
    assert truth.size[0].tolist() == [2, 4, 1.5]
    np.testing.assert_allclose(samples.directions[0, 0], turn[:2, 0], atol=1e-12)
    del infos['data_list'][0]['images']
    assert read_samples(infos, ['t'], protocol, 'own.pkl').directions.shape == (1, 0, 2)
    scores = score_detections(truth, truth, protocol)
    assert scores.mean_ap == pytest.approx(1)
    assert scores.classes['tram'].errors['orient_err'] == 0
    with refused('own.pkl', 'bus'):
        read_samples(infos, ['t'], DetectionProtocol(ranges=dict(bus=50.0)), 'own.pkl')


def test_protocol():
    protocol = load_detection_protocol(dict(ranges=dict(tram=60.0), errors=['trans_err']))
    assert protocol.classes == ['tram'] and protocol.max_boxes == 500
    with refused('rangs', "did you mean 'ranges'?"):
        load_detection_protocol(dict(rangs={}))
    with refused('error_distance', '3.0'):
        load_detection_protocol(dict(error_distance=3.0))
    with refused('yaw_err'):
        load_detection_protocol(dict(errors=['yaw_err']))
    with refused('ranges=', 'cyclist'):
        protocol.of_classes(['tram', 'cyclist'])
