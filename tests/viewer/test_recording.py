"""Entities of a recording, seen by a stream that keeps what is logged."""

import numpy as np
import pytest

pytest.importorskip('mmdet3d')
rr = pytest.importorskip('rerun')

from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.key_frames import Camera, read_key_frames  # noqa: E402
from hybrid_depth.viewer.recording import Recorder, camera_path, depth_path, entity_name  # noqa: E402
from hybrid_depth.viewer.runs import GroundTruth, Prediction, protocol_of  # noqa: E402
from tests.viewer.boxes import make_boxes  # noqa: E402


class Stream:
    """Recording in memory: what is visible at a path."""

    def __init__(self):
        self.visible, self.time = {}, None

    def set_time(self, name: str, sequence: int) -> None:
        self.time = (name, sequence)

    def log(self, path, *content, static: bool = False) -> None:
        path = path if isinstance(path, str) else '/'.join(path)
        for item in content:
            if isinstance(item, rr.Clear):
                self.visible = {k: v for k, v in self.visible.items() if k[0] != path}
            else:
                self.visible[path, type(item).__name__] = item

    def paths(self, start: str) -> set[str]:
        return {path.removeprefix(start) for path, _ in self.visible if path.startswith(start)}


@pytest.fixture
def toy(toy_infos, toy_nuscenes):
    content = read_infos(toy_infos / 'nuscenes_infos_val.pkl')
    frames = read_key_frames(content, toy_nuscenes, 'x')
    return frames, GroundTruth(content, frames, protocol_of(content), 'x')


def values(batch) -> np.ndarray:
    return np.array(batch.as_arrow_array().to_pylist())


def test_a_key_frame(toy):
    frames, truth = toy
    stream = Stream()
    recorder = Recorder(stream, truth, truth.protocol.classes, 0.1)
    for index, frame in enumerate(frames):
        recorder.key_frame(index, frame)
        assert stream.time == ('key_frame', index)
    for camera in frame.cameras:
        assert {
            (camera_path(camera.name), 'Pinhole'),
            (camera_path(camera.name), 'Transform3D'),
        } < {*stream.visible}
        assert (f'{camera_path(camera.name)}/image', 'EncodedImage') in stream.visible
    points = values(stream.visible['world/ego/lidar', 'Points3D'].positions)
    np.testing.assert_allclose(points, frame.points())
    moved = values(stream.visible['world/ego', 'Transform3D'].translation)[0]
    np.testing.assert_allclose(
        moved, frame.ego2global[:3, 3] - frames[0].ego2global[:3, 3], atol=1e-3
    )
    names = {truth.protocol.classes[label] for label in truth.boxes(frame).label}
    assert stream.paths('world/ground_truth/') == stream.paths('bev/ground_truth/') == names


def test_boxes_by_class_outcome_and_score(toy):
    frames, truth = toy
    true = truth.boxes(frames[0])
    classes = truth.protocol.classes
    label = true.label[0]
    name = classes[label]
    found = true[true.label == label]
    found.score[:] = 0.55
    far = make_boxes([*frames[0].ego2global[:1, 3] + 25], [label], [0.9])
    far.centre[:, 1] = frames[0].ego2global[1, 3]
    stream = Stream()
    recorder = Recorder(stream, truth, classes, 0.1)
    recorder.key_frame(0, frames[0])
    recorder.prediction(0, frames[0], 'a', Prediction(found))
    paths = stream.paths('world/a/')
    assert {path for path in paths if path.startswith(name)} == {
        f'{name}/true_positive/score_0.4-0.6'
    }
    others = {classes[other] for other in true.label if other != label}
    assert paths - {f'{name}/true_positive/score_0.4-0.6'} == {f'{n}/missed' for n in others}
    assert stream.paths('bev/a/') == paths

    recorder.prediction(0, frames[0], 'a', Prediction(far))  # what was there is cleared
    paths = {path for path in stream.paths('world/a/') if path.startswith(name)}
    assert paths == {f'{name}/false_positive/score_0.8-1.0', f'{name}/missed'}


def test_filters_of_class_and_score(toy):
    frames, truth = toy
    stream = Stream()
    recorder = Recorder(stream, truth, ['car'], 0.5)
    recorder.key_frame(0, frames[0])
    true = truth.boxes(frames[0])
    true.score[:] = 0.4
    recorder.prediction(0, frames[0], 'a', Prediction(true))
    assert stream.paths('world/a/') | stream.paths('world/ground_truth/') <= {'car', 'car/missed'}


def test_without_ground_truth_boxes_have_the_colour_of_their_class(toy):
    frames, truth = toy
    truth.samples = None
    stream = Stream()
    recorder = Recorder(stream, truth, truth.protocol.classes, 0.1)
    recorder.key_frame(0, frames[0])
    labels = [truth.protocol.classes.index(name) for name in ('car', 'pedestrian')]
    recorder.prediction(0, frames[0], 'a', Prediction(make_boxes([3, 5], labels, [0.1, 1.0])))
    assert stream.paths('world/a/') == {'car/score_0.0-0.2', 'pedestrian/score_0.8-1.0'}
    colors = [
        stream.visible[f'world/a/{path}', 'Boxes3D'].colors
        for path in ('car/score_0.0-0.2', 'pedestrian/score_0.8-1.0')
    ]
    assert values(colors[0]).tolist() != values(colors[1]).tolist()


def test_boxes_from_above_are_the_footprints(toy):
    frames, truth = toy
    truth.samples = None
    stream = Stream()
    recorder = Recorder(stream, truth, truth.protocol.classes, 0.1)
    recorder.key_frame(0, frames[0])
    box = make_boxes([0], [0])
    pose = frames[0].ego2global
    box.centre[:] = pose[:3, :3] @ [10, 3, 0] + pose[:3, 3]
    yaw = np.arctan2(pose[1, 0], pose[0, 0])
    box.rotation[:] = [np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]
    recorder.prediction(0, frames[0], 'a', Prediction(box))
    [strip] = values(stream.visible['bev/a/car/score_0.8-1.0', 'LineStrips2D'].strips)
    # 10 m ahead and 3 m left: up and left; 4 m long and 2 m wide; the line starts at the centre
    np.testing.assert_allclose(strip[0], [-3, -10], atol=1e-4)
    np.testing.assert_allclose(strip.min(0), [-4, -12], atol=1e-4)
    np.testing.assert_allclose(strip.max(0), [-2, -8], atol=1e-4)


def test_boxes_in_space_are_long_along_their_heading(toy):
    frames, truth = toy
    truth.samples = None
    stream = Stream()
    recorder = Recorder(stream, truth, truth.protocol.classes, 0.1)
    recorder.key_frame(0, frames[0])
    box = make_boxes([0], [0])
    box.centre[:] = frames[0].ego2global[:3, 3] + [3, 4, 5]
    box.rotation[:] = [np.cos(0.2), 0, 0, np.sin(0.2)]
    recorder.prediction(0, frames[0], 'a', Prediction(box))
    solid = stream.visible['world/a/car/score_0.8-1.0', 'Boxes3D']
    np.testing.assert_allclose(values(solid.half_sizes), [[2, 1, 0.5]])
    np.testing.assert_allclose(values(solid.centers), [[3, 4, 5]], atol=1e-4)
    np.testing.assert_allclose(values(solid.quaternions), [[0, 0, np.sin(0.2), np.cos(0.2)]])


def test_depth_has_its_own_camera(toy):
    frames, truth = toy
    stream = Stream()
    recorder = Recorder(stream, truth, truth.protocol.classes, 0.1)
    recorder.key_frame(0, frames[0])
    depth = np.full((4, 7), 2.5, np.float32)
    camera = Camera('CAM_FRONT', None, np.eye(3) * 5, np.eye(4))
    recorder.prediction(0, frames[0], 'a', Prediction(make_boxes([], []), [(camera, depth)]))
    path = depth_path('a', 'CAM_FRONT')
    assert (f'{path}/map', 'DepthImage') in stream.visible
    resolution = values(stream.visible[path, 'Pinhole'].resolution)[0]
    assert resolution.tolist() == [7, 4]


def test_an_absent_image_is_named(toy, tmp_path):
    frames, truth = toy
    frames[0].cameras[0] = Camera('CAM_X', tmp_path / 'no.jpg', np.eye(3), np.eye(4))
    with pytest.raises(FileNotFoundError, match='image of CAM_X, got .*no.jpg.*--root'):
        Recorder(Stream(), truth, [], 0.1).key_frame(0, frames[0])


def test_names_are_parts_of_paths():
    assert entity_name('a/b c.é') == 'a_b_c._'
    assert entity_name('') == '_'
