"""Checks of a checkpoint that need no data: averaged weights, channels of the first layer."""

import pytest
import torch
from mmengine.config import Config

from hybrid_depth.doctor.averaged_weights import check_averaged_weights
from hybrid_depth.doctor.case import Case
from hybrid_depth.doctor.channel_order import check_weight_channels
from hybrid_depth.findings import ConventionError, NotCheckedError

HOOK = [dict(type='EMAHook')]


def case(content: dict | None, source: str = 'x.pth', hooks: list = HOOK, **backbone) -> Case:
    model = dict(img_backbone=backbone)
    return Case(Config(dict(model=model, custom_hooks=hooks)), content, source)


def test_averaged_weights(tmp_path):
    trained = dict(meta=dict(iter=9), state_dict={})
    assert check_averaged_weights(case(dict(trained, ema_state_dict={}))) == 'averaged, by EMAHook'
    assert 'no average' in check_averaged_weights(case(trained, hooks=[]))
    converted = dict(meta=dict(iter=9, converted_from='epoch_20_ema.pth'), state_dict={})
    assert 'no average' in check_averaged_weights(case(converted))
    with pytest.raises(ConventionError, match='as the config has EMAHook, got .* without'):
        check_averaged_weights(case(trained))
    old = dict(state_dict={'neck.weight': 1, 'ema_neck_weight': 2})
    with pytest.raises(ConventionError, match=r'1 tensors ema_\* .*: ema_neck_weight'):
        check_averaged_weights(case(old, hooks=[]))
    (tmp_path / 'epoch_20_ema.pth').touch()
    with pytest.raises(ConventionError, match='use .*epoch_20_ema.pth'):
        check_averaged_weights(case(trained, str(tmp_path / 'epoch_20.pth'), []))
    with pytest.raises(NotCheckedError, match='no checkpoint'):
        check_averaged_weights(case(None))


def test_caffe_weights_are_for_bgr():
    init = dict(type='Pretrained', checkpoint='open-mmlab://detectron2/resnet50_caffe')
    with pytest.raises(ConventionError, match="'bgr' for open-mmlab.*got 'rgb'"):
        check_weight_channels(case(None, init_cfg=init))
    assert 'bgr' in check_weight_channels(case(None, init_cfg=init, channel_order='bgr'))


@pytest.mark.parametrize('change', [0.0, 0.1, 0.3])
def test_first_layer_in_the_other_order(tmp_path, change):
    """Fine-tuned weights differ from the initial ones by a fraction."""
    initial = torch.randn(8, 3, 7, 7)
    torch.save({'conv1.weight': initial}, tmp_path / 'resnet.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'))
    tuned = initial + change * torch.randn_like(initial)
    for layer, wrong in ((tuned, False), (tuned.flip(1), True)):
        content = dict(state_dict={'img_backbone.conv1.weight': layer})
        if wrong:
            with pytest.raises(ConventionError, match='closer to it reversed'):
                check_weight_channels(case(content, init_cfg=init))
        else:
            assert 'as in resnet.pth' in check_weight_channels(case(content, init_cfg=init))


def test_first_layer_trained_from_scratch_tells_nothing(tmp_path):
    torch.save({'conv1.weight': torch.randn(8, 3, 7, 7)}, tmp_path / 'resnet.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'))
    content = dict(state_dict={'img_backbone.conv1.weight': torch.randn(8, 3, 7, 7)})
    check_weight_channels(case(content, init_cfg=init))
