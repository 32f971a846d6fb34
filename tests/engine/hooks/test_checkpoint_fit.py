from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.engine.config import check_initial_weights
from hybrid_depth.engine.hooks import checkpoint_fit
from hybrid_depth.engine.hooks.checkpoint_fit import ChannelOrderHook, StrictLoadHook
from hybrid_depth.errors import HybridDepthError
from tests.engine.tiny import tiny_config
from tests.weight_files import BROKEN, FOREIGN, WRAPPED, write


def test_weights_of_another_model_are_rejected():
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    StrictLoadHook().after_load_checkpoint(runner, dict(state_dict=nn.Linear(2, 3).state_dict()))
    wrapped = {f'module.{key}': value for key, value in nn.Linear(2, 3).state_dict().items()}
    StrictLoadHook().after_load_checkpoint(runner, wrapped)
    with pytest.raises(CheckpointMismatchError, match='net.pth.*\n.*weight'):
        StrictLoadHook().after_load_checkpoint(
            runner, dict(state_dict=nn.Linear(2, 4).state_dict())
        )


@pytest.mark.parametrize('hook', [StrictLoadHook(), ChannelOrderHook()])
def test_weights_for_another_channel_order_are_rejected(hook):
    model = nn.Module()
    model.img_backbone = nn.Linear(2, 3)
    model.img_backbone.channel_order = 'rgb'
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(input_channel_order='bgr'))
    runner = SimpleNamespace(model=model, _load_from='net.pth')
    with pytest.raises(CheckpointMismatchError, match="channel_order 'bgr'.*got 'rgb'"):
        hook.after_load_checkpoint(runner, checkpoint)
    model.img_backbone.channel_order = 'bgr'
    hook.after_load_checkpoint(runner, checkpoint)
    hook.after_load_checkpoint(runner, dict(checkpoint, meta={}))


def test_weights_for_another_order_of_classes_are_rejected():
    """A model with the classes of mmdet3d's order loads without an error, and tests wrongly."""
    model = nn.Linear(2, 3)
    model.pts_bbox_head = SimpleNamespace(class_names=[['car'], ['bus', 'barrier']])
    runner = SimpleNamespace(model=model, _load_from='net.pth')
    checkpoint = dict(state_dict=model.state_dict(), meta={})
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    checkpoint['meta']['dataset_meta'] = dict(classes=('car', 'bus', 'barrier'))
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    checkpoint['meta']['dataset_meta'] = dict(classes=('car', 'barrier', 'bus'))
    with pytest.raises(CheckpointMismatchError, match='classes car, bus, barrier, got car, barr'):
        StrictLoadHook().after_load_checkpoint(runner, checkpoint)


def test_training_records_the_channel_order():
    """Trained weights, not only converted ones, are rejected for another order."""
    model = nn.Module()
    model.img_backbone = nn.Linear(2, 3)
    model.img_backbone.channel_order = 'bgr'
    checkpoint = dict(state_dict=model.state_dict(), meta={})
    runner = SimpleNamespace(model=model, _load_from='net.pth')
    ChannelOrderHook().before_save_checkpoint(runner, checkpoint)
    ChannelOrderHook().after_load_checkpoint(runner, checkpoint)
    model.img_backbone.channel_order = 'rgb'
    with pytest.raises(CheckpointMismatchError, match="channel_order 'bgr'.*got 'rgb'"):
        ChannelOrderHook().after_load_checkpoint(runner, checkpoint)
    depth = SimpleNamespace(model=nn.Linear(2, 3))
    checkpoint = dict(meta={})
    ChannelOrderHook().before_save_checkpoint(depth, checkpoint)
    assert checkpoint == dict(meta={})


def test_part_of_a_model_may_be_loaded_for_training():
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    part = dict(state_dict={})
    ChannelOrderHook().after_load_checkpoint(runner, part)
    with pytest.raises(CheckpointMismatchError):  # as in tools/test.py, which needs all weights
        StrictLoadHook().after_load_checkpoint(runner, part)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Checkpoint of the first epoch of a training with averaged weights."""
    cfg = tiny_config(tmp_path_factory.mktemp('trained'))
    cfg.train_cfg.max_epochs = 1
    Runner.from_cfg(cfg).train()
    return load_checkpoint_file(f'{cfg.work_dir}/epoch_1.pth')


def runner_of(folder, content, resume: bool) -> Runner:
    """Runner of a training that starts from a file with this content."""
    cfg = tiny_config(folder / 'work')
    cfg.train_cfg.max_epochs = 2
    cfg.load_from, cfg.resume = write(content, folder / 'start.pth'), resume
    check_initial_weights(cfg)
    return Runner.from_cfg(cfg)


def assert_refused(runner: Runner, match: str) -> None:
    """Before weights, averaged weights, optimiser or log change."""
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    with pytest.raises(HybridDepthError, match=match):
        runner.train()
    assert all(torch.equal(value, before[key]) for key, value in runner.model.state_dict().items())
    assert not runner.optim_wrapper.optimizer.state and runner.iter == 0


def changed(content: dict, part: str, change) -> dict:
    return dict(content, **{part: change(dict(content[part]))})


def _moment(shape: tuple[int, ...], value: float = 0.0):
    def change(optimizer: dict) -> dict:
        state = {key: dict(moments) for key, moments in optimizer['state'].items()}
        state[2]['exp_avg'] = torch.full(shape, value)  # of net.2.weight (1, 4)
        return dict(optimizer, state=state)

    return change


def _head(size: tuple[int, ...]):
    return lambda state: dict(state, **{'net.2.weight': torch.ones(size)})


UNFIT = {
    'head of 3 outputs': ('state_dict', _head((3, 4)), r'net.2.weight: .3, 4. instead of .1, 4.'),
    'head of another width': ('state_dict', _head((1, 5)), r'net.2.weight: .1, 5. instead of'),
    'second head': (
        'state_dict',
        lambda s: dict(s, **{'net.3.weight': torch.ones(1)}),
        r"1 not in the model: .'net.3.weight'",
    ),
    'no head': (
        'state_dict',
        lambda s: {k: v for k, v in s.items() if k != 'net.2.bias'},
        r"1 not in the file: .'net.2.bias'",
    ),
    'renamed head': (
        'state_dict',
        lambda s: {k.replace('net.2', 'net.head'): v for k, v in s.items()},
        r'not in the file.*net.2.bias',
    ),
    'average of another head': (
        'ema_state_dict',
        lambda s: dict(s, **{'module.net.2.weight': torch.ones(3, 4)}),
        r'ema_state_dict.*\n.*net.2.weight: .3, 4. instead',
    ),
    'average without head': (
        'ema_state_dict',
        lambda s: {k: v for k, v in s.items() if k != 'module.net.2.weight'},
        r'ema_state_dict.*\n.*not in the file',
    ),
    'NaN average': (
        'ema_state_dict',
        lambda s: dict(s, **{'module.net.2.weight': torch.full((1, 4), torch.nan)}),
        'NaN or infinity',
    ),
    'moment of another head': ('optimizer', _moment((3, 4)), r'2.exp_avg: .3, 4. instead of'),
    'moment of no head': ('optimizer', _moment((0,)), r'2.exp_avg: .0. instead of'),
    'NaN moment': ('optimizer', _moment((1, 4), float('nan')), r'2.exp_avg'),
    'infinite moment': ('optimizer', _moment((1, 4), float('inf')), r'2.exp_avg'),
    'no groups': ('optimizer', lambda s: dict(s, param_groups=[]), 'groups of .. parameters'),
    'two groups': (
        'optimizer',
        lambda s: dict(s, param_groups=s['param_groups'] * 2),
        r'groups of .4, 4. parameters instead of .4.',
    ),
    'groups of text': ('optimizer', lambda s: dict(s, param_groups='x'), 'entry of another kind'),
    'state of text': ('optimizer', lambda s: dict(s, state='x'), 'entry of another kind'),
    'no state': ('optimizer', lambda s: dict(param_groups=s['param_groups']), 'of another kind'),
}


@pytest.mark.parametrize('kind', UNFIT)
def test_a_changed_model_is_not_resumed(kind, trained, tmp_path):
    """A changed head crashed, or was NaN two steps later."""
    part, change, match = UNFIT[kind]
    assert_refused(
        runner_of(tmp_path, changed(trained, part, change), True), f'(?s)start.pth.*{match}'
    )


@pytest.mark.parametrize('resume', [True, False])
@pytest.mark.parametrize('kind', BROKEN)
def test_broken_weights_do_not_start_a_training(kind, resume, trained, tmp_path):
    content = dict(trained, state_dict=BROKEN[kind](dict(trained['state_dict'])))
    assert_refused(runner_of(tmp_path, content, resume), 'start.pth.*expected')


#: Of these, `load_from` takes the fitting part.
PARTIAL = ('one missing', 'one missing in data parallel', 'one too many', 'another shape')
PARTIAL += ('another dimension', 'half of a tensor')


@pytest.mark.parametrize('kind', FOREIGN)
def test_load_from_needs_a_tensor_of_the_model(kind, trained, tmp_path, monkeypatch):
    logged = []
    monkeypatch.setattr(checkpoint_fit, 'print_log', lambda text, **_: logged.append(text))
    runner = runner_of(tmp_path, FOREIGN[kind](dict(trained['state_dict'])), False)
    if kind not in PARTIAL:
        assert_refused(runner, 'start.pth.*expected')
        return
    runner.call_hook('before_run')  # averaged weights of EMAHook
    runner.load_or_resume()
    total = len(trained['state_dict'])
    fitting = total if kind == 'one too many' else total - 1
    assert f'{fitting} of {total} tensors of the model loaded' in logged[0]
    assert 'not in the' in logged[0] or 'of another shape' in logged[0]


@pytest.mark.parametrize('kind', WRAPPED)
def test_load_from_reads_wrapped_weights(kind, trained, tmp_path):
    state = {k: torch.full_like(v, 2) for k, v in trained['state_dict'].items()}
    runner = runner_of(tmp_path, WRAPPED[kind](state), False)
    runner.call_hook('before_run')  # averaged weights of EMAHook
    runner.load_or_resume()
    assert all((value == 2).all() for value in runner.model.state_dict().values())


def test_an_unchanged_model_is_resumed(trained, tmp_path):
    runner = runner_of(tmp_path, trained, True)
    runner.train()
    assert runner.epoch == 2 and runner.iter == 6


def test_the_hook_of_tests_unwraps_before_the_average_is_copied():
    """EMAHook (NORMAL) would copy nothing from wrapped weights."""
    names = ('StrictLoadHook', 'InitialWeightsHook')
    assert all(getattr(checkpoint_fit, name).priority == 'VERY_HIGH' for name in names)
    state = nn.Linear(2, 3).state_dict()
    checkpoint = {f'_orig_mod.module.{key}': value for key, value in state.items()}
    runner = SimpleNamespace(model=nn.Linear(2, 3), _load_from='net.pth')
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    assert checkpoint['state_dict'].keys() == state.keys()
