"""`hybrid-depth depth-worth` on a fake root."""

import csv
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hybrid_depth.cli import depth_worth
from hybrid_depth.datasets.depth_map_files import write_depth_png
from tests.conftest import ROOT
from tests.tools.run import run_tool


def test_default_edges_equal_those_of_the_module():
    pytest.importorskip('mmdet3d')
    from hybrid_depth.depth_worth.swaps import EDGES

    assert depth_worth.EDGES == EDGES


def test_report(tmp_path, capsys):
    pytest.importorskip('mmdet3d')
    from hybrid_depth.checkpoints.build import build_model
    from tests.datasets.roots import fake_root

    root = fake_root(tmp_path)
    for path in root.rglob('samples/CAM*/*.jpg'):
        size = Image.open(path).size
        to = tmp_path / 'depth' / path.relative_to(root).with_suffix('.png')
        to.parent.mkdir(parents=True, exist_ok=True)
        write_depth_png(np.full(size[::-1], 12.0), to)
    config = tmp_path / 'small.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/toy/bevdet_plain_toy.py'\n"
        f"test_dataloader = dict(num_workers=0, dataset=dict(data_root='{root}/'))\n"
        f"test_evaluator = dict(data_root='{root}/', ann_file='{root}/nuscenes_infos_val.pkl')\n"
    )
    weights = dict(state_dict=build_model(Config.fromfile(config)).state_dict())
    torch.save(weights, tmp_path / 'a.pth')
    command = ('depth_worth.py', config, tmp_path / 'a.pth', '--depth', tmp_path / 'depth')
    out = tmp_path / 'out'
    few = ('--out', out, '--edges', 20, '--classes')
    assert run_tool(*command, *few) is None
    report = json.loads((out / 'report.json').read_text())
    shares = {part['name']: part['share'] for part in report['parts']}
    assert shares == {'all': 1, 'over 20 m': 0, 'background': shares['background']}
    by_name = {part['name']: part for part in report['parts']}
    assert by_name['over 20 m']['there']['mAP']['points'] == 0
    rows = list(csv.DictReader((out / 'table.csv').open()))
    assert len(rows) == 6 and (out / 'plot.png').stat().st_size > 10_000
    assert 'true depth there alone' in (out / 'table.md').read_text()
    assert 'report, tables and plot are in' in capsys.readouterr().out
    finished = (out / 'rows.jsonl').read_text()
    assert run_tool(*command, *few) is None
    assert (out / 'rows.jsonl').read_text() == finished, 'tested again'


def test_errors(tmp_path):
    config = ROOT / 'configs/toy/bevdet_plain_toy.py'
    error = run_tool('depth_worth.py', config, tmp_path / 'absent.pth', '--depth', tmp_path)
    assert 'absent.pth, which does not exist' in error
