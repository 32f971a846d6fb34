"""Names of configs tell their recipe; variables have one prefix and defaults in the repository."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config

from tests.configs.shipped import CONFIGS, METHODS, NAMES, read
from tests.conftest import ROOT

NAMED = [name for name in NAMES if Path(name).parent.name in METHODS]
RECIPE = re.compile(
    r'(?P<method>[a-z0-9-]+)_(?P<network>[a-z0-9-]+)_(?P<gpus>\d+)xb(?P<batch>\d+)'
    r'(?P<cbgs>-cbgs)?-(?P<length>\d+)(?P<unit>e|iter)_(?P<data>[a-z0-9-]+)_(?P<size>\d+x\d+)'
)
LENGTH = dict(e='max_epochs', iter='max_iters')
DATA = {  # types of the training sets
    'nus-3d': {'CBGSDataset', 'NuScenesBEVDataset'},
    'nus-keyframe': {'NuScenesBEVDataset'},
    'nus-video': {'NuScenesVideoDataset'},
    'nus-front': {'VideoFolderDataset'},
    'kitti-raw': {'KittiRawDataset'},
    'kitti-drive': {'KittiRawDataset'},
    'ddad': {'DDADDataset'},
    'kitti-depth': {'KittiDepthDataset'},
    'cityscapes': {'CityscapesTripletDataset'},
    'tusimple': {'RepeatDataset', 'TuSimpleLaneDataset'},
}
VARIABLE = re.compile(r'\{\{\s*[\'"]?\$(\w+)\s*:\s*([^}]*)\}\}')


def layers(dataset: dict) -> list[dict]:
    """A data set and those that it wraps."""
    return [dataset, *(layers(dataset['dataset']) if 'dataset' in dataset else [])]


def image_size(step: dict) -> str:
    """HEIGHTxWIDTH of what a pipeline's resizing makes."""
    if step['type'] == 'ResizeShortSide':  # of TuSimple's 1280x720
        rounded = step['multiple'] * round(step['short_side'] * 1280 / 720 / step['multiple'])
        return f'{step["short_side"]}x{rounded}'
    size = step.get('final_size') or step['size'][::-1]
    return '{}x{}'.format(*size)


@pytest.mark.parametrize('name', NAMED)
def test_the_name_tells_the_recipe(name):
    recipe, cfg = RECIPE.fullmatch(Path(name).stem), read(name)
    assert recipe, 'expected METHOD_NETWORK_GPUSxbBATCH-LENGTH_DATA_SIZE'
    batch = int(recipe['batch'])
    assert cfg.train_dataloader.batch_size == batch
    total = cfg.get('auto_scale_lr', {}).get('base_batch_size', batch)
    assert total == int(recipe['gpus']) * batch
    assert cfg.train_cfg[LENGTH[recipe['unit']]] == int(recipe['length'])
    datasets = layers(cfg.train_dataloader.dataset)
    kinds = {dataset['type'] for dataset in datasets}
    assert kinds <= DATA[recipe['data']] and ('CBGSDataset' in kinds) == bool(recipe['cbgs'])
    (resizing,) = [
        step
        for step in datasets[-1]['pipeline']
        if step['type'] in ('BottomCrop', 'ImageAugmentation', 'ResizeFrames', 'ResizeShortSide')
    ]
    assert image_size(resizing) == recipe['size']


@pytest.mark.parametrize('name', [name for name in NAMED if '/bev' in name or '/fbbev' in name])
def test_conventions_of_official_weights_go_together(name):
    """All for the configs that fit official weights, none for new models, in every split."""
    cfg = read(name)
    lift = cfg.model.img_view_transformer
    found = {
        cfg.model.img_backbone.channel_order == 'bgr',
        lift.depth_bins.anchor == 'lower',
        lift.frustum_align == 'corners',
        lift.grid.rounding == 'trunc',
    }
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        dataset = layers(loader.dataset)[-1]
        frames = dataset.get('ego_frame'), dataset.get('box_frame')
        assert frames in ((None, None), ('CAM_FRONT_LEFT', 'CAM_FRONT'))
        found.add(frames != (None, None))
    official = re.match(r'bevdet(4d(-longterm)?)?_r50(-depth)?_', Path(name).name)
    assert found == {bool(official)}


def test_variables_of_configs():
    """One prefix; nothing outside the repository is looked for unasked."""
    found = []
    for path in [*CONFIGS.rglob('*.py'), ROOT / 'Makefile']:
        text = path.read_text()
        assert '../shared' not in text
        found += VARIABLE.findall(text)
    assert len(found) == 5
    for name, default in found:
        assert name.startswith('HYBRID_DEPTH_') and re.match('data/|work_dirs/|train', default)


@pytest.mark.parametrize('name', ['bevdet', 'fbbev'])
def test_the_keyframe_configs_read_them(name, monkeypatch):
    for key in ('NUSCENES', 'INFOS', 'SPLIT'):
        monkeypatch.setenv(f'HYBRID_DEPTH_{key}', key.lower())
    cfg = Config.fromfile(CONFIGS / f'{name}/{name}_r18_1xb1-300iter_nus-keyframe_256x704.py')
    for part in (cfg.train_dataloader.dataset, cfg.test_dataloader.dataset, cfg.test_evaluator):
        assert part.data_root == 'nuscenes/'
        assert Path(part.ann_file).resolve() == ROOT / 'infos/nuscenes_infos_split.pkl'
    assert cfg.test_evaluator.eval_split == 'mini_split'


def test_the_improved_ground_truth_has_a_path():
    """A variable of `_base_` inside a longer string is not replaced by mmengine."""
    cfg = read('configs/_base_/datasets/kitti_eigen_benchmark.py')
    assert cfg.test_evaluator.truth == 'data/kitti/gt/eigen_benchmark'
