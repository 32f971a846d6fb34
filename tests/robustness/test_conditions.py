import pytest
from mmengine.config import Config

from hybrid_depth.engine.config import read_config
from hybrid_depth.errors import ConfigError
from hybrid_depth.robustness.conditions import CLEAN, Condition, conditions_for, config_of
from hybrid_depth.robustness.transforms import CAMERA_FAILURES, ROBOBEV
from tests.conftest import ROOT

DETECTOR = 'configs/toy/bevdet_plain_toy.py'
DEPTH_MODELS = ('configs/toy/monodepth2_r18_toy.py', 'configs/toy/wordepth_toy.py')
ALL = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)


def kinds(cfg: Config) -> list[str]:
    return [transform['type'] for transform in cfg.test_dataloader.dataset.pipeline]


def test_rows_of_a_rig():
    rows = conditions_for(read_config(ROOT / DETECTOR), roots=['data/other'])
    assert (
        rows[0] == CLEAN and len(rows) == 1 + 9 * 3 + 4 + 1 and len({r.label for r in rows}) == 33
    )
    assert {row.name for row in rows if row.kind == 'corruption'} == {*ROBOBEV, 'noise'}
    assert [row.strength for row in rows if row.kind == 'extrinsics'] == [0.5, 1, 2, 4]
    some = conditions_for(read_config(ROOT / DETECTOR), ['fog'], [2], [])
    assert some == [CLEAN, Condition('corruption', 'fog', 2)]


@pytest.mark.parametrize('name', DEPTH_MODELS)
def test_rows_of_one_camera_have_no_failing_and_no_turned_cameras(name):
    rows = conditions_for(read_config(ROOT / name))
    assert {row.name for row in rows[1:]} == {*ROBOBEV, 'noise'} - set(CAMERA_FAILURES)


def test_corruptions_come_right_after_loading():
    cfg = read_config(ROOT / DETECTOR)
    before = kinds(cfg)
    corrupted = config_of(cfg, Condition('corruption', 'fog', 2), seed=7)
    assert kinds(corrupted) == [before[0], 'CorruptImages', *before[1:]] and kinds(cfg) == before
    added = corrupted.test_dataloader.dataset.pipeline[1]
    assert tuple(added[key] for key in ('corruption', 'strength', 'seed')) == ('fog', 2, 7)
    assert corrupted.train_dataloader == cfg.train_dataloader
    assert kinds(config_of(cfg, CLEAN)) == before


def test_the_ground_truth_is_of_the_true_calibration():
    turned = config_of(read_config(ROOT / DETECTOR), Condition('extrinsics', 'extrinsics', 2.0))
    order = kinds(turned)
    assert order.index('LoadLidarDepth') < order.index('RotateCameras') == len(order) - 2
    assert order[-1] == 'PackBEVInputs'


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.stem)
def test_every_shipped_config_can_be_corrupted(path):
    cfg = read_config(path)
    if (cfg.get('test_evaluator') or {}).get('type') not in ('BEVDetectionMetric', 'DepthMetric'):
        return
    for condition in conditions_for(cfg, ['snow'], [1], [1.0]):
        assert kinds(config_of(cfg, condition))


def test_other_data_moves_the_metric_too():
    moved = config_of(read_config(ROOT / DETECTOR), Condition('data', 'data/other'))
    assert moved.test_dataloader.dataset.data_root == 'data/other'
    assert moved.test_evaluator.data_root == 'data/other'
    assert moved.test_evaluator.ann_file == 'data/other/nuscenes_infos_val.pkl'
    depth = config_of(read_config(ROOT / DEPTH_MODELS[0]), Condition('data', 'data/other'))
    assert depth.test_dataloader.dataset.data_root == 'data/other'
    assert depth.test_evaluator.truth == 'data/other/gt/toy'


def test_pipelines_of_unknown_loaders():
    loader = dict(dataset=dict(data_root='x', pipeline=[dict(type='LoadSomething')]))
    with pytest.raises(ConfigError, match='LoadMultiViewImages or LoadFrames'):
        conditions_for(Config(dict(test_dataloader=loader)))
    with pytest.raises(ConfigError, match='expected a test_dataloader whose data set'):
        conditions_for(Config(dict(model=dict(type='x'))))
