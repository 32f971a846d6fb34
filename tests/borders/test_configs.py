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
from hybrid_depth.engine.config_values import check_values
from tests.borders.refusal import refused
from tests.configs.shipped import NAMES, read
from tests.conftest import ROOT
from tests.depth.estimators.tiny import CONV
from tests.engine.tiny import TinyModel, tiny_config
from tests.tools.run import run_tool

NAN, INF = float('nan'), float('inf')
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


VALUES = {
    'train_dataloader.batch_size': [0, -1, 'a', '2', 1.5, None, True, [2]],
    'train_dataloader.num_workers': [-1, 'a', 1.5, None, True],
    'train_dataloader.dataset': [None, [1], 'x'],
    'train_dataloader.sampler': ['x', 3],
    'train_dataloader.sampler.type': [3],
    'train_dataloader.drop_last': ['no', 0],
    'train_dataloader.collate_fn': [None, 'x'],
    'train_dataloader.prefetch_factor': [2],
    'train_dataloader.persistent_workers': [1, True],
    'train_dataloader': [None, {}, 3, 'x', [1], dict(a=1)],
    'train_cfg': [None, {}, 3, 'x', [1], dict(by_epoch=True), dict(by_epoch=False)],
    'train_cfg.by_epoch': ['no', 1],
    'train_cfg.val_interval': [0, '1', 1.5],
    'train_cfg.val_begin': [-1, '1'],
    'optim_wrapper': [None, {}, 3, 'x', [1], [], dict(a=1)],
    'optim_wrapper.optimizer': [None, 'AdamW', {}],
    'optim_wrapper.optimizer.lr': [-1, NAN, INF, 'a', '1e-3', None, True, [1e-3]],
    'optim_wrapper.optimizer.weight_decay': [-1, NAN, 'a', None],
    'optim_wrapper.optimizer.betas': [(2, 2), 'x'],
    'optim_wrapper.accumulative_counts': [0, -1, '2', 1.5],
    'optim_wrapper.clip_grad': [3, {}, [5], dict(max_norm=-1), dict(max_norm=NAN)],
    'optim_wrapper.paramwise_cfg': ['x', dict(custom_keys=dict(net=dict(lr_mult=NAN)))],
    'param_scheduler': [3, 'x', ['x'], [None], dict(a=1), [dict(by_epoch=True)]],
    'param_scheduler.0.start_factor': [NAN, -1, 'a'],
    'param_scheduler.0.end': [-1, '5', 0],
    'param_scheduler.1.milestones': ['2', 2, [1.5]],
    'param_scheduler.1.gamma': [NAN, 'a'],
    'custom_hooks': [3, 'x', ['EMAHook'], [None], dict(type='EMAHook'), [dict(momentum=1)]],
    'custom_hooks.0.priority': ['VERY', 1000],
    'default_hooks': [3, 'x', [1], dict(checkpoint='x'), dict(checkpoint=dict(interval=2))],
    'default_hooks.checkpoint.interval': [0, -2, '1', NAN],
    'default_hooks.checkpoint.max_keep_ckpts': ['x', 0, 1],
    'val_evaluator': [3, 'x', [], [1], dict(type='DepthMetric')],
    'val_dataloader': [3, 'x', dict(batch_size=1)],
    'val_cfg': [3, {}],
    'test_evaluator': [3, [None]],
    'model.type': [None, 3],
    'randomness': [3, 'x', dict(seed='a'), dict(seed=-1), dict(seed=1.5), dict(seed=NAN)],
    'env_cfg': [3, dict(mp_cfg='x'), dict(dist_cfg=3), dict(mp_cfg=dict(mp_start_method='x'))],
    'custom_imports': [3, 'x', ['x'], dict(a=1), dict(imports='x'), dict(imports=[3])],
    'auto_scale_lr': [3, 'x', dict(enable='no', base_batch_size=2)],
    'model_wrapper_cfg': ['x', 3],
    'visualizer': [3, dict(type='Visualiser')],
    'runner_type': [3, 'Runer'],
    'load_from': [3, ['x']],
    'resume': ['no', 1],
    'sync_bn': [3, 'batch'],
    'log_level': ['LOUD'],
}


def set_below(cfg, path, value):
    """Set a value below a path of keys; unlike `merge_from_dict`, a dict replaces."""
    *path, last = path.split('.')
    node = cfg
    for key in path:
        node = node[int(key) if key.isdecimal() else key]
    node[int(last) if last.isdecimal() else last] = value


@pytest.mark.parametrize('path', VALUES)
def test_values(tmp_path, path, monkeypatch):
    """Each is refused before the first iteration, by a sentence with the config and the key."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    for index, value in enumerate(VALUES[path]):
        cfg = tiny_config(tmp_path)
        set_below(cfg, path, value)
        file = tmp_path / f'net{index}.py'
        file.write_text('\n'.join(f'{key} = {of!r}' for key, of in cfg.to_dict().items()))
        text = file.read_text().replace('nan', 'float("nan")').replace('inf', 'float("inf")')
        file.write_text(text)
        said = run_tool('train.py', file, '--work-dir', tmp_path / f'{index}')
        assert isinstance(said, str) and said.startswith(f'error: {file}: expected'), (value, said)
        assert path.split('.')[0] in said or 'be built' in said, (value, said)
    assert not list(tmp_path.rglob('*.pth'))


def test_values_that_mean_the_default(tmp_path):
    """Guard: None, no schedulers, no hooks and a rate of 0 are usual, and train."""
    cfg = tiny_config(tmp_path)
    cfg.launcher = 'none'
    for key in ('param_scheduler', 'custom_hooks', 'val_evaluator', 'load_from'):
        cfg[key] = None
    cfg.optim_wrapper.optimizer.lr = 0
    cfg.default_hooks.update(timer=None)
    check_values(cfg)
    build_runner(cfg).train()
    assert (tmp_path / 'epoch_3.pth').is_file()
    for name in NAMES:
        check_values(read(name))


def test_faults_of_an_iteration_keep_their_traceback(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise TypeError('a fault of ours')

    cfg = tiny_config(tmp_path)
    cfg.launcher = 'none'
    monkeypatch.setattr(TinyModel, 'forward', fail)
    with pytest.raises(TypeError, match='a fault of ours'), explained(cfg):
        build_runner(cfg).train()


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
