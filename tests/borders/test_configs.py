"""Configs with misspelt and unknown names: named with the nearest one, before any training."""

import ast
import sys

import pytest
from mmengine.config import Config

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.cli.runner_arguments import parse_option
from hybrid_depth.config_errors import explained, nearest
from hybrid_depth.doctor.depth_range import check_depth_range
from hybrid_depth.engine.config import build_runner, load_config, read_config
from hybrid_depth.engine.config_keys import check_keys
from tests.borders.refusal import refused
from tests.configs.shipped import NAMES, read
from tests.conftest import ROOT
from tests.depth.estimators.tiny import CONV
from tests.engine.tiny import tiny_config
from tests.tools.run import run_tool

TOP = {
    'optim_wraper': 'optim_wrapper',
    'optimwrapper': 'optim_wrapper',
    'optim_wrappers': 'optim_wrapper',
    'optimizer_wrapper': 'optim_wrapper',
    'param_schedulers': 'param_scheduler',
    'param_sheduler': 'param_scheduler',
    'lr_config': 'param_scheduler',
    'train_dataloder': 'train_dataloader',
    'train_dataloaders': 'train_dataloader',
    'val_evaluater': 'val_evaluator',
    'test_evaluators': 'test_evaluator',
    'custom_hook': 'custom_hooks',
    'default_hook': 'default_hooks',
    'hooks': 'custom_hooks',
    'train_config': 'train_cfg',
    'train_cgf': 'train_cfg',
    'load_form': 'load_from',
    'randomnes': 'randomness',
    'seed': 'randomness',
    'Model': 'model',
    'models': 'model',
    'work_dirs': 'work_dir',
    'env_cfgs': 'env_cfg',
    'total_epochs': 'max_epochs',
    'checkpoint_config': 'default_hooks.checkpoint',
    'resume_from': 'load_from',
    'auto_scale_lrs': 'auto_scale_lr',
    'find_unused_parameter': 'find_unused_parameters',
    'custom_import': 'custom_imports',
}


@pytest.mark.parametrize('key', TOP)
def test_top_level_keys(tmp_path, key):
    path = tmp_path / 'net.py'
    path.write_text(f'{key} = dict(type="Adam")\n')
    with refused('net.py', repr(key), TOP[key]):
        load_config(path, None, None, 'none')


def test_shipped_configs_and_their_variables_pass():
    for name in NAMES:
        check_keys(read(name))
    variables = dict.fromkeys(('classes', 'max_epochs', 'train_loader', 'lr', 'bins', 'video'), 1)
    check_keys(Config(variables))


@pytest.mark.parametrize(
    ('option', 'word'),
    [
        ('modle.type', 'model'),
        ('train_dataloder.batch_size', 'train_dataloader'),
        ('optim_wrap.lr', 'optim_wrapper'),
        ('batch_size', 'batch_size'),
    ],
)
def test_options_of_keys_that_do_not_exist(tmp_path, option, word):
    (tmp_path / 'net.py').write_text('model = train_dataloader = optim_wrapper = dict()\n')
    with refused('net.py', option, word):
        load_config(tmp_path / 'net.py', None, {option: 3}, 'none')


MODELS = {
    'type': (dict(type='Monodepht2'), 'Monodepht2', 'Monodepth2'),
    'type of a part': (dict(encoder=dict(type='TimmDepthEncodr')), 'encoder', 'TimmDepthEncoder'),
    'type in lower case': (dict(decoder=dict(type='monodepth2decoder')), '', 'Monodepth2Decoder'),
    'type of another kind': (dict(encoder=dict(type='AdamW')), '(model.encoder)', "'AdamW'"),
    'argument': (dict(min_dept=0.1), "'min_dept'", "'min_depth'"),
    'argument of a part': (dict(encoder=dict(CONV['encoder'], nam='x')), '(model.encoder)', "'nam"),
    'argument of a base class': (dict(decoder=dict(CONV['decoder'], scale=(0,))), '', "'scales'"),
    'argument of the pose net': (dict(pose_net=dict(type='PoseCNN', frame=2)), 'pose_net', 'frame'),
    'unlike all': (dict(zzz=3), "'zzz'", 'Monodepth2'),
    'missing': (dict(encoder=dict(type='TimmDepthEncoder')), "'name'", '(model.encoder)'),
}


@pytest.mark.parametrize('case', MODELS)
def test_models(case):
    change, *words = MODELS[case]
    with refused(*words):
        build_model(Config(dict(model=dict(CONV, **change))))


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ('model.type=BEVDett', ('BEVDett', "'BEVDet'")),
        ('model.img_neck.in_chanels=3', ('(model.img_neck)', "'in_channels'")),
        ('model.img_view_transformer.depth_net.type=PlainDepthNett', ('depth_net', 'PlainDepthNe')),
        ('model.img_view_transformer.strid=8', ('(model.img_view_transformer)', "'stride'")),
        ('model.pts_bbox_head.bbox_coder.typ=3', ('bbox_coder', "'typ'")),
        ('model.img_backbone.depht=18', ('(model.img_backbone)', "'depth'")),
    ],
)
def test_detectors(change, words):
    cfg = read_config(ROOT / 'configs/toy/bevdet_plain_toy.py')
    key, value = change.split('=')
    cfg.merge_from_dict({key: parse_option(value)})
    with refused('bevdet_plain_toy.py', *words):
        build_model(cfg)


RUNNERS = {
    'loop': ('train_cfg.max_epoch', 2, ('(train_cfg)', "'max_epochs'")),
    'data loader': ('train_dataloader.num_worker', 2, ('(train_dataloader)', "'num_workers'")),
    'data set': ('train_dataloader.dataset.type', 'NoisyDatset', ("'NoisyDataset'",)),
    'argument of a data set': ('train_dataloader.dataset.rot', 1, ('dataset)', 'no arguments')),
    'sampler': ('train_dataloader.sampler.shufle', True, ('sampler)', "'shuffle'")),
    'type of the sampler': ('train_dataloader.sampler.type', 'DefaultSample', ('DefaultSampler',)),
    'optimizer': ('optim_wrapper.optimizer.weight_decai', 0, ('optimizer)', "'weight_decay'")),
    'type of the optimizer': ('optim_wrapper.optimizer.type', 'AdmaW', ("'AdamW'",)),
    'wrapper': ('optim_wrapper.clip_gradd', 5, ("'clip_grad'",)),
    'hook': ('custom_hooks.0.update_buffer', True, ("'update_buffer",)),
    'type of a hook': ('custom_hooks.0.type', 'EMAHok', ("'EMAHook'",)),
    'default hook': ('default_hooks.checkpoint.intervall', 1, ('checkpoint)', "'interval'")),
    'scheduler': ('param_scheduler.0.type', 'LinearLr', ("'LinearLR'",)),
    'argument of a scheduler': ('param_scheduler.0.ends', 3, ('param_scheduler[0]', "'end'")),
}


@pytest.mark.parametrize('case', RUNNERS)
def test_runners(tmp_path, case):
    key, value, words = RUNNERS[case]
    cfg = tiny_config(tmp_path)
    cfg.launcher = 'none'
    cfg.merge_from_dict({key: value})
    with refused(*words), explained(cfg):
        build_runner(cfg).train()
    assert not list(tmp_path.rglob('*.pth'))


def test_errors_that_are_not_of_the_config_stay():
    with pytest.raises(TypeError, match='unexpected'), explained(Config(dict(model=dict()))):
        nearest('a', [], cut=1)
    with pytest.raises(KeyError, match='absent'), explained(Config(dict(model=dict()))):
        dict()['absent']
    assert nearest('qqq', ['model']) == ''


@pytest.mark.parametrize(
    ('bins', 'loading', 'good'),
    [
        (dict(start=1.0, stop=60.0), (1.0, 60.0), True),
        (dict(start=1.0, stop=56.0), (1.0, 60.0), True),
        (dict(start=1.0, stop=80.0), (1.0, 60.0), False),
        (dict(start=1.0, stop=60.5), (1.0, 60.0), False),
        (dict(start=0.5, stop=60.0), (1.0, 60.0), False),
        (dict(start=1.0, stop=60.0), (2.0, 60.0), False),
        (dict(start=1.0, stop=60.0), (1.0, 40.0), False),
        (dict(start=1.0, stop=61.0), None, False),
    ],
)
def test_depth_bins_within_the_range_of_their_targets(bins, loading, good):
    transform = dict(type='LoadLidarDepth')
    if loading:
        transform['depth_range'] = loading
    dataset = dict(type='CBGSDataset', dataset=dict(pipeline=[dict(type='Load'), transform]))
    cfg = Config(
        dict(model=dict(view=dict(depth_bins=bins)), train_dataloader=dict(dataset=dataset))
    )
    if good:
        check_depth_range(cfg)
    else:
        with refused('depth_bins', 'dataset.pipeline[1]'):
            check_depth_range(cfg)


def test_shipped_detectors_have_bins_within_the_range():
    for name in NAMES:
        check_depth_range(read(name))


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('/my data/kitti raw', '/my data/kitti raw'),
        ('"/my data/kitti"', '/my data/kitti'),
        ('[/a b/c, /d  e]', ['/a b/c', '/d  e']),
        ('(1, 2, 3)', (1, 2, 3)),
        ('[(1, 2), (3.5, x y)]', [(1, 2), (3.5, 'x y')]),
        ('[ 1,2 ]', [1, 2]),
        ('/old (2020) data/a', '/old (2020) data/a'),
        ('1, 2', [1, 2]),
        ('True', True),
        (' 3 ', 3),
        ('None', None),
        ('1e-3', 1e-3),
        ('', ''),
        ('a=b', 'a=b'),
        ('é ü', 'é ü'),
    ],
)
def test_values_of_options_keep_their_spaces(text, value):
    found = parse_option(text)
    assert found == value and type(found) is type(value)
    if ' ' not in text and value not in (None, ''):  # as mmengine reads it
        from mmengine.config import DictAction

        assert DictAction._parse_iterable(text) == value


@pytest.mark.parametrize('option', ['novalue', '=3', 'a.b=[1,2', 'a.b=(1,2'])
def test_options_that_are_none(tmp_path, option, capsys):
    (tmp_path / 'net.py').write_text('a = dict()\n')
    assert run_tool('train.py', tmp_path / 'net.py', '--cfg-options', option) == 2
    assert '--cfg-options' in capsys.readouterr().err


def test_misspelt_configs_end_the_tool_with_a_sentence(tmp_path, monkeypatch):
    """Guard: the command line itself explains, without a traceback."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    path = tmp_path / 'net.py'
    path.write_text(tiny_config(tmp_path).pretty_text.replace('TinyModel', 'TinyModl'))
    ast.parse(path.read_text())
    said = run_tool('train.py', path, '--work-dir', tmp_path)
    assert "got 'TinyModl'" in said and "did you mean 'TinyModel'?" in said and 'net.py' in said
