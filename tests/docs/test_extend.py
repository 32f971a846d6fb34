"""docs/extend.md shows the files of docs/examples, and each of them works."""

import json
import re
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS
from PIL import Image

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.datasets.depth_map_files import write_depth_map
from hybrid_depth.engine.config import read_config
from tests.conftest import ROOT

EXAMPLES = ROOT / 'docs' / 'examples'
SHOWN = re.compile(r'^`(\w+\.py)`:\n\n```python\n(.*?)```', re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _import_path(monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))


@pytest.fixture(scope='module')
def keyframe(toy_nuscenes, tmp_path_factory) -> dict:
    from tests.bev.toy import training_keyframe

    folder = tmp_path_factory.mktemp('infos')
    return pseudo_collate([training_keyframe('bevdet_plain_toy', toy_nuscenes, folder, 0)])


def step(cfg: Config, batch: dict) -> tuple[BaseModel, dict]:
    """The config's model and its losses after one backward pass."""
    model = build_model(cfg).train()
    data = model.data_preprocessor(batch, True)
    losses = model.loss(data['inputs'], data['data_samples'])
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    return model, losses


def learns(module: torch.nn.Module) -> bool:
    return all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


def test_the_page_shows_the_files():
    files = {path.name: path.read_text() for path in EXAMPLES.iterdir() if path.suffix == '.py'}
    assert dict(SHOWN.findall((ROOT / 'docs/extend.md').read_text())) == files
    modules = [text for name, text in files.items() if name.startswith('my_')]
    assert len(modules) == 5 and all(10 <= text.count('\n') <= 30 for text in modules)


def test_encoder(toy_kitti):
    cfg = read_config(EXAMPLES / 'monodepth2_my_encoder_toy.py')
    data = dict(cfg.train_dataloader.dataset, data_root=str(toy_kitti))
    model, _ = step(cfg, default_collate([DATASETS.build(data)[0]]))
    assert type(model.encoder).__name__ == 'MyEncoder' and learns(model.encoder)


def test_depth_net(keyframe):
    cfg = read_config(EXAMPLES / 'bevdet_my_depth_net_toy.py')
    model, losses = step(cfg, keyframe)
    net = model.img_view_transformer.depth_net
    assert type(net).__name__ == 'MyDepthNet' and learns(net) and losses['loss_depth_lidar'] > 0


def test_part_of_the_detector(keyframe):
    model, _ = step(read_config(EXAMPLES / 'bevdet_my_refinement_toy.py'), keyframe)
    assert model.state_dict()['my_refinement.weight'].shape == (32, 32, 3, 3)
    assert learns(model.my_refinement) and model.my_refinement.weight.grad.any()


def test_own_classes(toy_nuscenes, toy_infos):
    cfg = read_config(EXAMPLES / 'bevdet_my_classes_toy.py')
    data = cfg.train_dataloader.dataset.dataset
    data.update(data_root=str(toy_nuscenes), ann_file=str(toy_infos / 'nuscenes_infos_train.pkl'))
    packed = DATASETS.build(dict(data, _scope_='mmdet3d'))[0]
    labels = packed['data_samples'].gt_instances_3d.labels_3d
    assert set(labels.tolist()) == {0, 1, 2}  # there are others in the scene
    model, _ = step(cfg, pseudo_collate([packed]))
    assert model.pts_bbox_head.class_names == [['car', 'pedestrian', 'traffic_cone']]
    metric = METRICS.build(dict(cfg.test_evaluator, _scope_='mmdet3d'))
    metric._dataset_meta = dict(classes=data.metainfo.classes)
    assert metric._protocol().ranges == dict(car=50.0, pedestrian=40.0, traffic_cone=30.0)


def test_dataset(tmp_path):
    images = [f'{i}.png' for i in range(4)]
    for name in images:
        Image.fromarray(np.random.randint(0, 255, (64, 96, 3), np.uint8)).save(tmp_path / name)
    cam2img = [[60, 0, 48], [0, 60, 32], [0, 0, 1]]
    clips = [dict(cam2img=cam2img, images=images[:3]), dict(cam2img=cam2img, images=images[3:])]
    (tmp_path / 'clips.json').write_text(json.dumps(clips))
    cfg = read_config(EXAMPLES / 'monodepth2_my_dataset.py')
    resize = dict(type='ResizeFrames', size=(96, 64))
    steps = cfg.train_dataloader.dataset.pipeline
    data = dict(
        cfg.train_dataloader.dataset,
        data_root=str(tmp_path),
        pipeline=[resize if each['type'] == 'ResizeFrames' else each for each in steps],
    )
    dataset = DATASETS.build(data)
    assert [info['meta']['name'] for info in map(dataset.get_data_info, range(len(dataset)))] == [
        '0_1'  # the only frame that has both neighbours
    ]
    model, _ = step(cfg, default_collate([dataset[0]]))
    assert learns(model.encoder) and learns(model.pose_net)


def test_metric(tmp_path):
    truth = np.full((4, 4), 10.0)
    truth[0, 0] = 0
    write_depth_map(truth, tmp_path / 'frame.npz')
    kept, added = read_config(EXAMPLES / 'monodepth2_my_metric_toy.py').test_evaluator
    assert kept.type == 'DepthMetric'
    metric = METRICS.build(dict(added, truth=str(tmp_path)))
    disparity = torch.ones(1, 4, 4)
    disparity[0, 3, :3] = np.exp(0.5)
    metric.process({}, [dict(name='frame', pred_disparity=disparity)])
    assert metric.evaluate(1) == {'depth/log_error': pytest.approx(3 * 0.5 / 15)}
