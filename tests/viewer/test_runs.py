"""Ground truth and results files by key frame."""

import numpy as np
import pytest

pytest.importorskip('mmdet3d')
from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol  # noqa: E402
from hybrid_depth.bev.evaluation.evaluation_samples import read_samples  # noqa: E402
from hybrid_depth.bev.evaluation.results_file import write_results  # noqa: E402
from hybrid_depth.datasets.nuscenes.names import InfoError  # noqa: E402
from hybrid_depth.info_files import read_infos  # noqa: E402
from hybrid_depth.viewer.key_frames import read_key_frames  # noqa: E402
from hybrid_depth.viewer.runs import GroundTruth, ResultsFile, protocol_of  # noqa: E402

PROTOCOL = DetectionProtocol()


@pytest.fixture
def content(toy_infos) -> dict:
    return read_infos(toy_infos / 'nuscenes_infos_val.pkl')


@pytest.fixture
def frames(content, toy_nuscenes) -> list:
    return read_key_frames(content, toy_nuscenes, 'x')


def test_ground_truth_is_that_of_the_evaluation(content, frames):
    truth = GroundTruth(content, frames, PROTOCOL, 'x')
    samples = read_samples(content, [frame.token for frame in frames], PROTOCOL, 'x')
    expected = samples.truth(PROTOCOL)
    assert 0 < len(expected) < len(samples.boxes)  # some do not count
    found = [truth.boxes(frame).centre for frame in frames]
    np.testing.assert_array_equal(np.concatenate(found), expected.centre)
    everything = samples.boxes[samples.boxes.sample == 1]
    counted = truth.countable(frames[1], everything)
    assert 0 < len(counted) < len(everything)


def test_a_test_set_has_no_ground_truth(content, frames):
    for info in content['data_list']:
        info.pop('instances')
    truth = GroundTruth(content, frames, PROTOCOL, 'x')
    assert truth.boxes(frames[0]) is None


def test_results_file_by_key_frame(content, frames, tmp_path):
    tokens = [frame.token for frame in frames]
    boxes = read_samples(content, tokens, PROTOCOL, 'x').boxes
    write_results(tmp_path / 'a.json', boxes, tokens, PROTOCOL, {})
    run = ResultsFile(tmp_path / 'a.json', PROTOCOL, 'a')
    run.require(frames, 'x')
    for index, frame in enumerate(frames):
        found = run(frame).boxes
        np.testing.assert_array_equal(found.centre, boxes[boxes.sample == index].centre)

    first = boxes[boxes.sample == 0]
    write_results(tmp_path / 'b.json', first, ['another'], PROTOCOL, {})
    other = ResultsFile(tmp_path / 'b.json', PROTOCOL, 'b')
    assert other(frames[0]) is None
    with pytest.raises(InfoError, match='expected in .*b.json predictions for samples of x'):
        other.require(frames, 'x')


def test_own_classes_have_no_limit_of_the_distance():
    assert protocol_of(dict(metainfo=dict(categories={'car': 0, 'tram': 1}))).ranges == {
        'car': 50.0,
        'tram': np.inf,
    }
    names = {name: i for i, name in enumerate(['tram', *PROTOCOL.classes])}
    assert protocol_of(dict(metainfo=dict(categories=names))) == PROTOCOL
