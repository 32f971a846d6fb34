"""Results files: damaged ones, and the command line."""

import json

import pytest

from hybrid_depth.bev.evaluation.detection_protocol import DetectionProtocol
from hybrid_depth.bev.evaluation.results_file import read_results
from tests.bev.evaluation.test_detection_metric import PREFIX, dataset, metric_of, perfect, score
from tests.borders.refusal import refused
from tests.datasets.roots import fake_root
from tests.tools.run import run_tool

BOX = dict(
    sample_token='a',
    translation=[1, 2, 3],
    size=[1, 2, 3],
    rotation=[1, 0, 0, 0],
    velocity=[0, float('nan')],
    detection_name='car',
    detection_score=0.5,
    attribute_name='',
)


def read(tmp_path, results, **meta):
    path = tmp_path / 'results.json'
    path.write_text(results if isinstance(results, str) else json.dumps(dict(results=results)))
    return read_results(path, DetectionProtocol(**meta))


def test_any_form_of_json(tmp_path):
    text = json.dumps(dict(meta={}, results=dict(a=[BOX], b=[]), more=[1]), indent=2)
    tokens, boxes = read(tmp_path, text)
    assert tokens == ['a', 'b']
    assert (boxes.sample.tolist(), boxes.attribute.tolist()) == ([0], [-1])


@pytest.mark.parametrize('velocity', [[0.1 + 0.2, -1e-7], [float('nan'), float('inf')]])
@pytest.mark.parametrize('token', ['a', '}]', '[{"'])
def test_numbers_are_read_as_python_reads_them(tmp_path, token, velocity):
    box = BOX | dict(sample_token=token, velocity=velocity)
    tokens, boxes = read(tmp_path, {token: [box, box], 'b': []})
    assert tokens == [token, 'b']
    assert [repr(x) for x in boxes.velocity[1].tolist()] == [repr(x) for x in velocity]


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        (dict(translation=[1, 2]), 'translation'),
        (dict(size=[1, 2, float('nan')]), 'NaN'),
        (dict(detection_score=float('nan')), 'NaN'),
        (dict(detection_score='high'), 'high'),
        (dict(detection_name='tram'), 'tram'),
        (dict(attribute_name='vehicle.flying'), 'vehicle.flying'),
        (dict(sample_token='b'), 'another sample'),
    ],
)
def test_unusable_boxes(tmp_path, change, word):
    with refused('results.json', 'sample a', word):
        read(tmp_path, dict(a=[BOX | change]))


@pytest.mark.parametrize('text', ['', '[]', '{"results": {"a": [', '{"results": {"a" 1}}', '{1'])
def test_damaged_files(tmp_path, text):
    with refused('results.json', 'expected JSON'):
        read(tmp_path, text)


def test_other_files(tmp_path):
    for content in ('{}', '{"meta": {}}', '{"results": {}}'):
        with refused('results.json', 'samples in results'):
            read(tmp_path, content)
    with refused('results.json', '2 boxes'):
        read(tmp_path, dict(a=[BOX, BOX]), max_boxes=1)
    with refused('sample a'):
        read(tmp_path, dict(a=dict(x=1)))


def test_command_line_gives_the_numbers_of_the_test(tmp_path):
    root = fake_root(tmp_path)
    data = dataset(root, 'val')
    values = score(metric_of(data, out_dir=str(tmp_path / 'out')), perfect(data))
    (results,) = (tmp_path / 'out').rglob('results_nusc.json')
    infos = root / 'nuscenes_infos_val.pkl'
    out = tmp_path / 'boxes.json'
    assert run_tool('evaluate_boxes.py', results, '--infos', infos, '--json', out) is None
    report = json.loads(out.read_text())
    assert report == json.loads((tmp_path / 'out/metrics.json').read_text())
    assert report['NDS'] == values[f'{PREFIX}/NDS']
    error = run_tool('evaluate_boxes.py', results, '--infos', root / 'nuscenes_infos_train.pkl')
    assert 'got 0 of them' in error
