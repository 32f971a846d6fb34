"""Conversion of official BEVDet checkpoints."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hybrid_depth.apis import init_bev_model
from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.releases.conversion import ReleaseError
from hybrid_depth.releases.convert import convert_checkpoint
from hybrid_depth.releases.report import conversion_report
from tests.bev.test_golden_bevdet import check_forward, forward, real_images
from tests.conftest import ROOT
from tests.golden.recipe import shapes
from tests.releases.official_files import recipe, zeros

CONFIGS = ROOT / 'configs'
RECIPE = '8xb8-cbgs-20e_nus-3d_256x704.py'


def official_shapes(variant='r50'):
    return shapes(f'bevdet_keys_{variant}')


def empty(variant='r50'):
    """Zeros with the keys of a release."""
    return zeros(official_shapes(variant))


def convert(source, out, **options):
    return convert_checkpoint('bevdet', source, out, **options)


@pytest.fixture(scope='module')
def golden_release(tmp_path_factory):
    """The recipe's weights as a released EMA file, converted; (official state, checkpoint)."""
    folder = tmp_path_factory.mktemp('bevdet')
    state = recipe(official_shapes())
    meta = dict(mmcv_version='1.5.3', CLASSES=('car', 'truck'), best=np.float64(0.3))
    torch.save(
        dict(meta=meta, state_dict=state, epoch=20, updates=27000), folder / 'epoch_20_ema.pth'
    )
    convert(folder / 'epoch_20_ema.pth', folder / 'out.pth')
    return state, folder / 'out.pth'


def test_every_tensor_is_copied_and_the_channel_order_recorded(golden_release):
    official, path = golden_release
    checkpoint = load_checkpoint_file(path)
    assert len(official) == 478 and checkpoint['state_dict'].keys() == official.keys()
    assert all(torch.equal(v, official[k]) for k, v in checkpoint['state_dict'].items())
    meta = checkpoint['meta']
    assert meta['input_channel_order'] == 'bgr' and meta['averaged'] is True
    assert meta['config'] == f'bevdet/bevdet_r50_{RECIPE}'
    assert set(meta['dropped']) == {'meta', 'epoch', 'updates'}
    assert list(meta['converted_from']['sha256']) == ['epoch_20_ema.pth']
    backbone = Config.fromfile(CONFIGS / meta['config']).model.img_backbone
    assert backbone.channel_order == meta['input_channel_order']


def test_user_config(golden_release, tmp_path):
    """Recorded in report and `meta`; rejected with another channel order."""
    user_config = tmp_path / 'own.py'
    text = f"_base_ = '{CONFIGS}/bevdet/bevdet_r50_{RECIPE}'\n"
    user_config.write_text(text)
    torch.save(dict(state_dict=golden_release[0]), tmp_path / 'a.pth')
    arguments = ('bevdet', tmp_path / 'a.pth', tmp_path / 'out.pth', user_config)
    assert f'fits {user_config}' in conversion_report(convert_checkpoint(*arguments))
    assert load_checkpoint_file(tmp_path / 'out.pth')['meta']['config'] == str(user_config)
    user_config.write_text(text + "model = dict(img_backbone=dict(channel_order='rgb'))\n")
    with pytest.raises(CheckpointMismatchError, match="expected.*'bgr'.*got 'rgb'"):
        convert_checkpoint(*arguments)


@torch.no_grad()
def test_golden_forward_of_the_real_keyframe(golden_release, real_data):
    model = init_bev_model(f'bevdet/bevdet_r50_{RECIPE}', golden_release[1])
    check_forward(forward(model, real_images(real_data, 'test'), 'test'), 'test')


def test_averaged_weights_are_preferred(tmp_path):
    folder = tmp_path / 'release'
    folder.mkdir()
    for name, value in (('epoch_9_ema', 1.0), ('epoch_20_ema', 2.0), ('epoch_24', 3.0)):
        state = dict(empty(), **{'img_neck.lateral_convs.0.conv.bias': torch.full((256,), value)})
        torch.save(dict(state_dict=state), folder / f'{name}.pth')
    conversion = convert(folder, tmp_path / 'a.pth')
    assert conversion.state_dict['img_neck.lateral_convs.0.conv.bias'][0] == 2
    assert conversion.facts['averaged'] and 'read: epoch_20_ema.pth' in conversion.notes[0]
    raw = convert(folder / 'epoch_24.pth', tmp_path / 'b.pth')
    assert raw.state_dict['img_neck.lateral_convs.0.conv.bias'][0] == 3
    assert not raw.facts['averaged'] and 'not averaged (EMA)' in raw.notes[1]


def test_averaged_weights_inside_a_file(tmp_path):
    plain = empty()
    averaged = {f'module.{key}': torch.ones(()).expand(v.shape) for key, v in plain.items()}
    torch.save(dict(state_dict=plain, ema_state_dict=averaged), tmp_path / 'a.pth')
    conversion = convert(tmp_path / 'a.pth', tmp_path / 'out.pth')
    assert conversion.facts['averaged'] and conversion.state_dict.keys() == plain.keys()
    assert all((value == 1).all() for value in conversion.state_dict.values())


def test_camera_aware_depth_net(tmp_path):
    """The config without the previous frame; depth net keys are those of the 4D-Depth release."""
    config = f'bevdet/bevdet_r50-depth_{RECIPE}'
    state = build_model(Config.fromfile(CONFIGS / config)).state_dict()
    prefix = 'img_view_transformer.depth_net.'
    net = {k: list(v.shape) for k, v in state.items() if k.startswith(prefix)}
    released = official_shapes('r50_4d_depth')
    assert net == {k: shape for k, shape in released.items() if k.startswith(prefix)}
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    conversion = convert(tmp_path / 'a.pth', tmp_path / 'out.pth')
    assert conversion.config == config and len(conversion.kept) == len(state)


@pytest.mark.parametrize(
    ('variant', 'config'),
    [
        ('r50_4d', 'bevdet4d_r50'),
        ('r50_4d_depth', 'bevdet4d_r50-depth'),
        ('r50_4dlongterm', 'bevdet4d-longterm_r50'),
        ('r50_4dlongterm_depth', 'bevdet4d-longterm_r50-depth'),
    ],
)
def test_temporal_models(tmp_path, variant, config):
    torch.save(dict(state_dict=empty(variant)), tmp_path / 'a.pth')
    conversion = convert(tmp_path / 'a.pth', tmp_path / 'out.pth')
    assert conversion.config == f'bevdet4d/{config}_{RECIPE}'
    assert conversion.kept == list(official_shapes(variant))


@pytest.mark.parametrize(
    ('key', 'says'),
    [
        ('img_view_transformer.frustum', 'got one of v1.0'),
        ('img_view_transformer.depthnet.weight', 'got one of v1.0'),
        ('img_view_transformer.depth_net.cost_volumn_net.0.weight', 'got BEVDet4D-Stereo'),
    ],
)
def test_unsupported_models_are_rejected_with_a_reason(tmp_path, key, says):
    torch.save(dict(state_dict={**empty(), key: torch.zeros(1)}), tmp_path / 'a.pth')
    with pytest.raises(ReleaseError, match=says):
        convert(tmp_path / 'a.pth', tmp_path / 'out.pth')


def test_other_weights_are_rejected(tmp_path):
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(1)}), tmp_path / 'a.pth')
    with pytest.raises(ReleaseError, match='expected BEVDet'):
        convert(tmp_path / 'a.pth', tmp_path / 'out.pth')
    with pytest.raises(FileNotFoundError, match='got none'):
        (tmp_path / 'empty').mkdir()
        convert(tmp_path / 'empty', tmp_path / 'out.pth')


def test_a_six_task_head_is_a_mismatch(tmp_path):
    state = empty()
    state['pts_bbox_head.task_heads.1.reg.1.bias'] = torch.zeros(2)
    state['pts_bbox_head.task_heads.0.heatmap.1.bias'] = torch.zeros(1)
    torch.save(dict(state_dict=state), tmp_path / 'a.pth')
    with pytest.raises(CheckpointMismatchError) as caught:
        convert(tmp_path / 'a.pth', tmp_path / 'out.pth')
    assert 'task_heads.1.reg.1.bias' in str(caught.value)
    assert 'task_heads.0.heatmap.1.bias' in str(caught.value)
