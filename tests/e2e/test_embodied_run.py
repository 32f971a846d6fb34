"""Vision-Language Embodiment from images to scores by command line, on a few toy frames."""

import functools
import json

import pytest

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.datasets.captions import read_texts
from hybrid_depth.foundation import text_features
from hybrid_depth.foundation.text_features import TextFeatures
from tests.conftest import ROOT
from tests.depth.encoders.tiny import TINY_CLIP
from tests.tools.run import run_tool

TOY = ROOT / 'configs/toy'


@pytest.fixture(scope='module')
def prepared(toy_kitti, tmp_path_factory):
    """Embodied depth and text of the toy tree, by the tools."""
    out = tmp_path_factory.mktemp('prepared')
    labels = ('--labels', toy_kitti / 'semantic', '--instances', toy_kitti / 'instance')
    prior = ('make_embodied_depth.py', toy_kitti, out / 'embodied', *labels)
    assert run_tool(*prior, '--kerb-height', 0) is None
    captions = toy_kitti / 'captions.jsonl'
    options = ('--pretrained', 'none', '--embodied', out / 'embodied')
    options += ('--instances', toy_kitti / 'instance')
    with pytest.MonkeyPatch.context() as patch:
        tiny = functools.partial(text_features.TextEncoder, model_cfg=TINY_CLIP['model_cfg'])
        patch.setattr(text_features, 'TextEncoder', tiny)
        for _ in range(2):  # the second finds all features
            assert run_tool('make_text_features.py', captions, out / 'text', *options) is None
    return out


def options_for(toy_kitti, prepared, width):
    """Command-line options that put the toy configs on the small tree."""
    options, text = [], prepared / 'text'
    for part, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = f'{part}_dataloader.dataset'
        options += [
            f'{dataset}.data_root={toy_kitti}/',
            f'{dataset}.depth_root={toy_kitti}/',
            f'{dataset}.split=splits/toy/{split}_files.txt',
            f'{dataset}.pipeline.2.data_root={toy_kitti}/',
            f'{dataset}.pipeline.2.captions={toy_kitti}/captions.jsonl',
            f'{dataset}.pipeline.2.features={text}/features.safetensors',
            f'{part}_dataloader.num_workers=0',
            f'{part}_dataloader.batch_size=3',
        ]
        if width == 128:
            options += [
                f'{dataset}.depth_folders.physics_depth={prepared}/embodied/depth',
                f'{dataset}.pipeline.2.objects={text}/objects.jsonl',
            ]
    options += [f'model.text_width={width}', 'model.text_probability=0.5']
    return [*options, 'train_cfg.max_epochs=1', 'train_cfg.val_interval=2']


def test_text_of_the_toy(toy_kitti, prepared):
    captions = read_texts(toy_kitti / 'captions.jsonl')
    objects = read_texts(prepared / 'text/objects.jsonl')
    features = TextFeatures.read(prepared / 'text/features.safetensors')
    texts = {t for found in (captions, objects) for texts in found.values() for t in texts}
    assert set(objects) == set(captions) and len(features.rows) == len(texts)
    assert all(text in features for text in texts) and features.width == 64


@pytest.mark.parametrize(('name', 'width'), [('embodiment_toy', 128), ('wordepth_toy', 64)])
def test_training_and_scores(toy_kitti, prepared, tmp_path, name, width):
    config = TOY / f'{name}.py'
    options = ('--cfg-options', *options_for(toy_kitti, prepared, width))
    assert run_tool('train.py', config, '--work-dir', tmp_path, *options) is None
    checkpoint = load_checkpoint_file(tmp_path / 'epoch_1.pth')
    assert checkpoint['meta']['iter'] == 2
    assert not any('token_embedding' in key for key in checkpoint['state_dict'])
    test = ('test.py', config, tmp_path / 'epoch_1.pth', '--work-dir', tmp_path / 'test')
    assert run_tool(*test, *options) is None
    (report,) = (tmp_path / 'test').glob('*/*.json')
    scores = json.loads(report.read_text().splitlines()[-1])
    assert 0 < scores['depth/abs_rel'] < 5 and 0 < scores['depth/median_scaled/abs_rel'] < 5
    assert scores['depth/abs_rel'] != scores['depth/median_scaled/abs_rel']


def test_depth_clip_needs_no_checkpoint(toy_kitti, tmp_path):
    options = [
        f'test_dataloader.dataset.{key}={value}'
        for key, value in dict(
            data_root=f'{toy_kitti}/', depth_root=f'{toy_kitti}/', split='splits/toy/val_files.txt'
        ).items()
    ]
    options += ['test_dataloader.num_workers=0', 'test_dataloader.batch_size=3']
    test = ('test.py', TOY / 'depthclip_toy.py', '--work-dir', tmp_path)
    assert run_tool(*test, '--cfg-options', *options) is None
    (report,) = tmp_path.glob('*/*.json')
    assert 0 < json.loads(report.read_text().splitlines()[-1])['depth/abs_rel'] < 50


def test_other_models_need_one(tmp_path):
    error = run_tool('test.py', TOY / 'wordepth_toy.py', '--work-dir', tmp_path)
    assert 'expected a checkpoint of WorDepth, got none' in error


def test_instances_without_embodied_depth(toy_kitti, tmp_path):
    options = ('--pretrained', 'none', '--instances', toy_kitti / 'instance')
    error = run_tool('make_text_features.py', toy_kitti / 'captions.jsonl', tmp_path, *options)
    assert 'expected --embodied and --instances together' in error
