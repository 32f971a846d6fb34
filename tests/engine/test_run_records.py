"""Logged scalars and reports of runs."""

import json

import pytest

from hybrid_depth.engine.run_records import chosen, read_curves, read_report, run_names
from hybrid_depth.errors import DamagedFileError


def log(folder, *entries: object) -> None:
    path = folder / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(e if isinstance(e, str) else json.dumps(e) for e in entries))


def test_a_resumed_training_is_one_curve(tmp_path):
    log(tmp_path / '2026_1', dict(loss=3.0, step=1), dict(loss=2.0, step=2, lr=1))
    log(tmp_path / '2026_2', dict(loss=1.5, step=2), {'a/mAP': 0.5, 'step': 2, 'note': 'x'})
    expected = dict(loss={1: 3.0, 2: 1.5}, lr={2: 1.0}) | {'a/mAP': {2: 0.5}}
    assert read_curves(tmp_path) == expected


@pytest.mark.parametrize('line', ['{', '[1]', '{"loss": 1}', '{"step": "x"}'])
def test_a_damaged_log_is_named_with_its_line(line, tmp_path):
    log(tmp_path / 'a', dict(loss=1, step=1), line)
    with pytest.raises(DamagedFileError, match='scalars.json, line 2: expected a JSON object'):
        read_curves(tmp_path)


def test_a_folder_without_logs(tmp_path):
    with pytest.raises(FileNotFoundError, match='expected the work directory of a training'):
        read_curves(tmp_path)


def test_report(tmp_path):
    content = dict(mAP=0.5, flag=True, names=['car'], classes=dict(car=dict(AP=1, note=None)))
    (tmp_path / 'metrics.json').write_text(json.dumps(content))
    expected = {'mAP': 0.5, 'classes.car.AP': 1.0}
    assert read_report(tmp_path) == read_report(tmp_path / 'metrics.json') == expected
    (tmp_path / 'metrics.json').write_text('[]')
    with pytest.raises(DamagedFileError, match='metrics.json: expected a JSON object'):
        read_report(tmp_path)
    with pytest.raises(FileNotFoundError, match='expected a metrics.json'):
        read_report(tmp_path / 'other')


def test_patterns():
    names = ['loss', 'loss_depth', 'lr']
    assert chosen(names, ['lr', 'loss*', '*']) == ['lr', 'loss', 'loss_depth']
    with pytest.raises(FileNotFoundError, match="among loss, loss_depth, lr, got 'x'"):
        chosen(names, ['x'])


def test_names_are_the_shortest_different_ends():
    assert run_names(['/x/a.json']) == ['a']
    assert run_names(['/x/a.json', '/x/b.json']) == ['a', 'b']
    assert run_names(['/x/a/r.json', '/x/b/r.json']) == ['a/r', 'b/r']
    assert run_names(['/x/a.json', '/x/a.json']) == ['1 a', '2 a']
    assert run_names([]) == []
