"""Command lines of export, and of tests through files."""

import json

import numpy as np
import onnx
import pytest
import torch
from mmengine.config import Config

pytest.importorskip('onnxruntime')
from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.export import OnnxBEVDet, OnnxDepth  # noqa: E402
from tests.conftest import ROOT  # noqa: E402
from tests.depth.estimators.tiny import CONV  # noqa: E402
from tests.tools.run import run_tool  # noqa: E402


@pytest.fixture
def depth(toy_kitti, tmp_path):
    """Config and checkpoint of a tiny depth model, on the held-out toy drive."""
    cfg = Config.fromfile(ROOT / 'configs/toy/monodepth2_r18_toy.py')
    cfg.model = dict(CONV, min_depth=2.0, max_depth=20.0)
    cfg.test_dataloader.update(num_workers=0)
    cfg.test_dataloader.dataset.data_root = str(toy_kitti)
    cfg.test_evaluator.truth = str(tmp_path / 'truth.npy')
    np.save(tmp_path / 'truth.npy', np.random.uniform(2, 60, (3, 48, 160)).astype('f4'))
    cfg.dump(tmp_path / 'tiny.py')
    torch.save(dict(state_dict=build_model(cfg).state_dict()), tmp_path / 'tiny.pth')
    return tmp_path / 'tiny.py', tmp_path / 'tiny.pth'


def scores(config, weights, out, name: str) -> dict:
    assert run_tool('test.py', config, weights, '--work-dir', out) is None
    return json.loads((out / name).read_text())


def test_depth_is_scored_through_the_file(depth, tmp_path, capsys):
    config, checkpoint = depth
    file = tmp_path / 'depth.onnx'
    assert run_tool('export.py', config, checkpoint, file) is None
    assert f'{file}: ' in capsys.readouterr().out
    found = scores(config, file, tmp_path / 'onnx', 'depth_metrics.json')
    expected = scores(config, checkpoint, tmp_path / 'torch', 'depth_metrics.json')
    assert found['images'] == 3
    assert found['metrics'] == pytest.approx(expected['metrics'], rel=1e-4)


def test_eight_bits_from_images(depth, toy_kitti, tmp_path, capsys):
    config, checkpoint = depth
    images = next(toy_kitti.rglob('image_02/data'))
    files = [tmp_path / name for name in ('full.onnx', 'eight.onnx')]
    assert run_tool('export.py', config, checkpoint, files[0]) is None
    options = ['--int8', images, '--samples', '2']
    assert run_tool('export.py', config, checkpoint, files[1], *options) is None
    assert 'against the file of float32' in capsys.readouterr().out
    kinds = [{node.op_type for node in onnx.load(file).graph.node} for file in files]
    assert kinds[1] - kinds[0] >= {'QuantizeLinear', 'DequantizeLinear'}
    networks = [OnnxDepth(file) for file in files]
    image = np.random.rand(3, *networks[0].spec.image_size).astype(np.float32)
    full, eight = (network(image).values for network in networks)
    assert 0 < np.abs(full - eight).max() < 0.2 * full.max()


def test_boxes_are_scored_through_the_file(toy_nuscenes, toy_infos, tmp_path):
    """All of a detection report, from a file in 8 bits and from one in full precision."""
    cfg = Config.fromfile(ROOT / 'configs/toy/bevdet_plain_toy.py')
    cfg.test_dataloader.update(num_workers=0, batch_size=2)
    infos = str(toy_infos / 'nuscenes_infos_val.pkl')
    cfg.test_dataloader.dataset.update(data_root=str(toy_nuscenes), ann_file=infos)
    cfg.test_evaluator.update(data_root=str(toy_nuscenes), ann_file=infos)
    config, checkpoint = tmp_path / 'toy.py', tmp_path / 'toy.pth'
    cfg.dump(config)
    torch.save(dict(state_dict=build_model(cfg).state_dict()), checkpoint)
    file, eight = tmp_path / 'toy.onnx', tmp_path / 'eight.onnx'
    assert run_tool('export.py', config, checkpoint, file) is None
    found = scores(config, file, tmp_path / 'onnx', 'metrics.json')
    expected = scores(config, checkpoint, tmp_path / 'torch', 'metrics.json')
    assert found['num_predictions'] == expected['num_predictions'] > 100
    for name in ('mAP', 'NDS', 'mATE', 'mASE', 'mAOE', 'mAVE'):
        assert found[name] == pytest.approx(expected[name], abs=1e-3, nan_ok=True)
    options = ['--int8', infos, '--samples', '1']
    error = run_tool('export.py', config, checkpoint, eight, *options)
    assert error is None
    assert OnnxBEVDet(eight).spec == OnnxBEVDet(file).spec


def test_options_that_do_not_go_together(depth, tmp_path):
    config, checkpoint = depth
    options = ['--int8', tmp_path, '--precision', 'fp16']
    error = run_tool('export.py', config, checkpoint, tmp_path / 'a.onnx', *options)
    assert error.startswith('error: expected --precision fp32 with --int8')
    assert not (tmp_path / 'a.onnx').exists()
