"""Rows of tests with true depth, and their differences."""

import pytest
from mmengine.config import Config

from hybrid_depth.depth_worth import report
from hybrid_depth.errors import ConfigError
from tests.depth_worth.conftest import SWAPS, row


def test_points_of_hand_computed_rows(summary):
    assert summary['config'] == 'c'
    assert summary['predicted']['mAP'] == 0.2 and summary['true']['AP'] == dict(car=0.3)
    whole, near, far, car, background = summary['parts']
    assert [part['name'] for part in summary['parts']] == [
        'all', '0-10 m', 'over 10 m', 'car', 'background'
    ]  # fmt: skip
    assert whole['there'] == whole['missing']
    assert whole['there']['mAP']['points'] == pytest.approx(10)
    assert whole['there']['mAP']['interval'] == pytest.approx([10, 10])  # the draws are paired
    assert near['there']['mAP']['points'] == pytest.approx(5)
    assert near['missing']['mAP']['points'] == pytest.approx(6)  # 0.30 - 0.24
    assert far['there']['mAP']['points'] == pytest.approx(-1)
    assert car['there']['mAP']['points'] == pytest.approx(0)
    assert background['missing']['mAP']['points'] == pytest.approx(10)
    assert near['there']['NDS']['points'] == pytest.approx(2.5)
    assert (near['share'], far['share']) == (0.25, 0.19)


@pytest.fixture
def cfg(tmp_path) -> Config:
    (tmp_path / 'infos.pkl').write_bytes(b'infos')
    (tmp_path / 'depth').mkdir()
    (tmp_path / 'depth' / 'a.png').write_bytes(b'1')
    pipeline = [dict(type='ImageAugmentation'), dict(type='PackBEVInputs')]
    dataset = dict(data_root=str(tmp_path), ann_file='infos.pkl', pipeline=pipeline, type='x')
    loader = dict(dataset=dataset)
    return Config(dict(model=dict(type='M'), test_dataloader=loader, test_evaluator={}))


def test_finished_rows_are_kept(cfg, tmp_path, monkeypatch):
    tested = []

    def test(tested_cfg, checkpoint, logs):
        tested.append(tested_cfg.get('custom_hooks'))
        return row(0.25)

    monkeypatch.setattr(report, '_test', test)
    checkpoint = tmp_path / 'a.pth'
    checkpoint.write_bytes(b'weights')

    def run(**changes) -> int:
        tested.clear()
        arguments = dict(folder=str(tmp_path / 'depth'), edges=(0, 10), classes=None, sigma=None)
        results = report.run_swaps(cfg, str(checkpoint), tmp_path / 'out', **arguments | changes)
        for (swap, found), expected in zip(results, SWAPS, strict=True):
            assert swap == expected and found == row(0.25)
        return len(tested)

    assert run() == 10 and run() == 0
    path = tmp_path / 'out' / report.ROWS
    path.write_text('\n'.join(path.read_text().splitlines())[:-20])  # a kill while writing
    assert run() == 1 and tested[0][0]['classes'] == ['background']
    assert run(classes=['car']) == 0
    assert run(sigma=1.0) == 9  # predicted depth has no sigma
    (tmp_path / 'depth' / 'a.png').write_bytes(b'other')
    assert run() == 10
    checkpoint.write_bytes(b'trained longer')
    assert run() == 10 and run() == 0


def test_other_metrics_are_refused(cfg, tmp_path):
    cfg.test_evaluator = dict(type='NuScenesMetric')
    tests = report.run_swaps(cfg, 'a.pth', tmp_path / 'out', str(tmp_path / 'depth'), (0,))
    with pytest.raises(ConfigError, match='expected BEVDetectionMetric alone'):
        next(tests)
