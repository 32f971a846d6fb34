"""Results as text and as files."""

import json

import pytest

from hybrid_depth.depth.evaluation.report import result_table, write_result

RESULT = dict(
    protocol=dict(name='mine', scaling='median'),
    kind='disparity',
    images=3,
    images_without_truth=0,
    pixels=1200,
    metrics=dict(abs_rel=0.12345, rmse=4.0),
    other_scaling=dict(unscaled=dict(abs_rel=0.5, rmse=9.0)),
    scale=dict(median=5.4321, spread=0.0678),
    distances=[
        dict(metres=[0.0, 10.0], pixels=1200, abs_rel=0.1, rmse=2.0, a1=0.9),
        dict(metres=[10.0, 20.0], pixels=0),
    ],
)


def test_table():
    lines = result_table(RESULT).splitlines()
    assert lines[0] == 'protocol mine: 3 images, 1200 pixels, disparity, scaling median'
    assert [line.split() for line in lines[1:3]] == [['abs_rel', 'rmse'], ['0.1235', '4.0000']]
    assert lines[3].split() == ['0.5000', '9.0000', 'unscaled']
    assert 'median 5.432' in lines[4] and 'spread 0.0678' in lines[4]
    assert lines[6].split() == ['0-10', '1200', '0.1000', '2.0000', '0.9000']
    assert lines[7].split() == ['10-20', '0', '-', '-', '-'] and len(lines) == 8


@pytest.mark.parametrize('complete', [True, False])
def test_partial_ground_truth_is_named(complete):
    export = dict(complete=complete, maps=2, frames=3, split='eigen')
    table = result_table(dict(RESULT, truth_export=export))
    assert ('PARTIAL: ground truth of 2 of the 3 frames of eigen' in table) != complete


def test_images_without_truth_are_named():
    table = result_table(dict(RESULT, images_without_truth=4))
    assert '4 images have no valid ground truth' in table


def test_file_is_json_and_written_atomically(tmp_path):
    write_result(RESULT, tmp_path / 'a.json')
    assert json.loads((tmp_path / 'a.json').read_text()) == RESULT
    with pytest.raises(ValueError, match='JSON'):
        write_result(dict(RESULT, pixels=float('nan')), tmp_path / 'b.json')
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']


def test_motion_is_below_the_whole():
    part = dict(images=2, pixels=300, metrics=dict(abs_rel=0.5, rmse=9.0))
    motion = {'moving': part, 'single_frame/moving': dict(images=0)}
    lines = result_table(dict(RESULT, motion=motion)).splitlines()
    assert lines[4].split() == ['0.5000', '9.0000', 'moving:', '2', 'images,', '300', 'pixels']
    assert lines[5] == 'single_frame/moving: no image has such pixels' and len(lines) == 10
