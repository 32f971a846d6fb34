import json
import os

import pytest
from mmengine.config import Config

from hybrid_depth.errors import DamagedFileError
from hybrid_depth.robustness import report
from hybrid_depth.robustness.conditions import CLEAN, Condition

ROWS = [
    CLEAN,
    *(Condition('corruption', 'fog', strength) for strength in (1, 2, 3)),
    *(Condition('corruption', 'snow', strength) for strength in (1, 2, 3)),
    Condition('corruption', 'noise', 1),
    Condition('extrinsics', 'extrinsics', 2.0),
]
NDS = (0.4, 0.3, 0.2, 0.1, 0.4, 0.4, 0.4, 0.1, 0.2)


def metrics(nds: float) -> dict:
    return {'m/NDS': nds, 'm/mAP': nds / 2, 'm/depth/abs_rel': 0.1, 'm/depth/a1': nds}


@pytest.fixture
def cfg(tmp_path) -> Config:
    (tmp_path / 'infos.pkl').write_bytes(b'infos')
    pipeline = [dict(type='LoadMultiViewImages'), dict(type='PackBEVInputs')]
    dataset = dict(data_root=str(tmp_path), ann_file='infos.pkl', pipeline=pipeline, type='x')
    loader, metric = dict(dataset=dataset), dict(type='x', truth=str(tmp_path / 'truth'))
    return Config(dict(model=dict(type='M'), test_dataloader=loader, test_evaluator=metric))


@pytest.fixture
def tested(monkeypatch) -> list:
    """Conditions of the tests that were run, by their number of transforms."""
    runs = []

    def test(cfg, checkpoint, work_dir):
        runs.append(cfg)
        return metrics(0.25)

    monkeypatch.setattr(report, 'run_test', test)
    return runs


def test_finished_rows_are_kept(cfg, tested, tmp_path):
    checkpoint = tmp_path / 'a.pth'
    checkpoint.write_bytes(b'weights')

    def run(config=cfg, seed=0) -> int:
        tested.clear()
        results = list(
            report.run_conditions(config, str(checkpoint), tmp_path / 'out', ROWS[:3], seed)
        )
        assert [condition for condition, _ in results] == ROWS[:3]
        assert all(values == metrics(0.25) for _, values in results)
        return len(tested)

    assert run() == 3
    assert run() == 0
    lines = (tmp_path / 'out' / report.ROWS).read_text().splitlines()
    (tmp_path / 'out' / report.ROWS).write_text('\n'.join(lines)[:-20])  # a kill while writing
    assert run() == 1 and run() == 0
    assert run(seed=1) == 2  # the clean row has no seed
    assert run(Config(dict(cfg.to_dict(), model=dict(type='N')))) == 3
    (tmp_path / 'infos.pkl').write_bytes(b'others')
    assert run() == 3
    (tmp_path / 'truth').mkdir()
    (tmp_path / 'truth' / 'export.json').write_text('of another export')
    assert run() == 3
    checkpoint.write_bytes(b'trained longer')
    assert run() == 3 and run() == 0


def test_an_interrupted_report_keeps_what_it_has(cfg, tmp_path, monkeypatch):
    def test(cfg, *_):
        if len(cfg.test_dataloader.dataset.pipeline) == 3:
            raise KeyboardInterrupt
        return metrics(0.25)

    monkeypatch.setattr(report, 'run_test', test)
    with pytest.raises(KeyboardInterrupt):
        list(report.run_conditions(cfg, 'a.pth', tmp_path / 'out', ROWS))
    (line,) = (tmp_path / 'out' / report.ROWS).read_text().strip().splitlines()
    assert json.loads(line)['kind'] == 'clean'


def test_resilience_of_hand_computed_rows():
    results = [(row, metrics(nds)) for row, nds in zip(ROWS, NDS, strict=True)]
    summary = report.summarise(results, dict(seed=0))
    rates = summary['resilience']['NDS']
    assert rates == pytest.approx(dict(fog=0.5, snow=1.0, noise=0.25, extrinsics=0.5))
    assert summary['mean_resilience']['NDS'] == pytest.approx(0.75)  # of fog and snow
    # 1 - DEE is (1 - 0.1 + a1) / 2
    assert summary['resilience']['depth']['fog'] == pytest.approx((0.9 + 0.2) / (0.9 + 0.4))
    assert summary['rows'][1]['scores'] == dict(NDS=0.3, mAP=0.15, abs_rel=0.1, a1=0.3)
    assert summary['seed'] == 0


def test_a_model_without_a_score_has_no_resilience():
    summary = report.summarise([(CLEAN, {'m/NDS': 0.0}), (ROWS[1], {'m/NDS': 0.1})], {})
    assert summary['resilience'] == summary['mean_resilience'] == {}


def test_report_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='hybrid-depth robustness CONFIG'):
        report.read_report(tmp_path)
    summary = report.summarise([(row, metrics(0.3)) for row in ROWS], {})
    report.write_report(summary, tmp_path)
    assert report.read_report(tmp_path) == summary
    (tmp_path / report.REPORT).write_text('[]')
    with pytest.raises(DamagedFileError, match='expected a robustness report'):
        report.read_report(tmp_path)
    os.truncate(tmp_path / report.REPORT, 1)
    with pytest.raises(DamagedFileError):
        report.read_report(tmp_path)
