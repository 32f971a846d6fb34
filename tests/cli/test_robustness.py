"""`hybrid-depth robustness` on a fake root and on toy KITTI."""

import csv
import json

import pytest
import torch
from mmengine.config import Config

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.cli import robustness
from hybrid_depth.robustness import conditions, corruptions, transforms
from tests.conftest import ROOT
from tests.tools.run import run_tool


def test_choices_equal_those_of_the_modules():
    assert robustness.CORRUPTIONS == transforms.CORRUPTIONS
    assert robustness.ANGLES == conditions.ANGLES
    assert corruptions.STRENGTHS == (1, 2, 3)


def weights(config, path):
    torch.save(dict(state_dict=build_model(Config.fromfile(config)).state_dict()), path)
    return path


def table(folder) -> dict:
    rows = csv.DictReader((folder / 'table.csv').open())
    return {(row['report'], row['name'], row['strength']): row for row in rows}


def test_detector(tmp_path, capsys):
    pytest.importorskip('mmdet3d')
    from tests.datasets.roots import fake_root

    root = fake_root(tmp_path)
    config = tmp_path / 'small.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/toy/bevdet_plain_toy.py'\n"
        f"test_dataloader = dict(num_workers=0, dataset=dict(data_root='{root}/'))\n"
        f"test_evaluator = dict(data_root='{root}/', ann_file='{root}/nuscenes_infos_val.pkl')\n"
    )
    command = ('robustness.py', config, weights(config, tmp_path / 'a.pth'))
    few = ('--corruptions', 'camera_crash', 'noise', '--strengths', 3, '--angles', 4)
    out = tmp_path / 'first'
    assert run_tool(*command, '--out', out, *few) is None
    rows = table(out)
    assert set(rows) == {
        ('first', 'clean', '0'),
        ('first', 'camera_crash', '3'),
        ('first', 'noise', '3'),
        ('first', 'extrinsics', '4.0'),
    }
    depths = {name: row['abs_rel'] for (_, name, _), row in rows.items()}
    assert len(set(depths.values())) == 3
    # the plain depth net sees no extrinsics, and the ground truth is of the true ones
    assert depths['extrinsics'] == depths['clean']
    assert (out / 'plot.png').stat().st_size > 10_000 and 'extrinsics' in capsys.readouterr().out
    finished = (out / 'rows.jsonl').read_text()
    second = tmp_path / 'second'
    second.mkdir()
    (second / 'rows.jsonl').write_text(finished)  # these rows are not tested again
    assert run_tool(*command, '--out', second, *few, '--beside', out, '--seed', 0) is None
    assert (second / 'rows.jsonl').read_text() == finished
    assert len(table(second)) == 8 and '## first' in (second / 'table.md').read_text()
    report = json.loads((second / 'report.json').read_text())
    assert report['resilience'] and report['seed'] == 0


def test_depth_model(toy_kitti, tmp_path, capsys):
    truth = tmp_path / 'truth'
    export = ('--split', 'splits/toy/val_files.txt', '--source', 'improved')
    assert run_tool('prepare_kitti.py', 'export-gt', toy_kitti, truth, *export) is None
    config = ROOT / 'configs/toy/monodepth2_r18_toy.py'
    options = [f'test_evaluator.truth={truth}']
    options += [f'test_dataloader.dataset.data_root={toy_kitti}', 'test_dataloader.num_workers=0']
    command = ('robustness.py', config, weights(config, tmp_path / 'a.pth'), '--out', tmp_path)
    few = ('--corruptions', 'fog', 'camera_crash', '--strengths', 2, '--cfg-options', *options)
    assert run_tool(*command, *few) is None
    rows = table(tmp_path)
    assert {name for _, name, _ in rows} == {'clean', 'fog'}
    assert len({row['abs_rel'] for row in rows.values()}) == 2
    assert 'mean of RoboBEV' in capsys.readouterr().out


def test_errors(tmp_path):
    config = ROOT / 'configs/toy/bevdet_plain_toy.py'
    error = run_tool('robustness.py', config, tmp_path / 'absent.pth')
    assert 'absent.pth, which does not exist' in error
    error = run_tool('robustness.py', config, tmp_path / 'a.pth', '--beside', tmp_path)
    assert error.startswith('error: expected a report')
    twice = ('--out', tmp_path / 'a' / 'x', '--beside', tmp_path / 'b' / 'x')
    error = run_tool('robustness.py', config, tmp_path / 'a.pth', *twice)
    assert "different names, got ['x', 'x']" in error
