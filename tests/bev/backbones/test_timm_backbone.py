"""timm models as image backbones."""

import pytest
import torch

pytest.importorskip('mmdet3d')
from hybrid_depth.bev.backbones import TimmBackbone  # noqa: E402
from hybrid_depth.checkpoints.build import build_model  # noqa: E402
from hybrid_depth.engine.config import read_config  # noqa: E402


def test_a_pyramid_gives_the_maps_of_its_indices():
    images = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        every = TimmBackbone(name='test_resnet').eval()
        maps = every(images)
        chosen = TimmBackbone(name='test_resnet', out_indices=(3, 4)).eval()
        chosen.body.load_state_dict(every.body.state_dict(), strict=False)
        found = chosen(images)
    assert [tuple(m.shape[-2:]) for m in found] == [(4, 6), (2, 3)]
    for first, second in zip(maps[-2:], found, strict=True):
        torch.testing.assert_close(first, second)


def test_channels_are_swapped_for_bgr_weights():
    images = torch.rand(1, 3, 32, 32)
    rgb, bgr = (
        TimmBackbone(name='test_resnet', mean='none', std='none', channel_order=order).eval()
        for order in ('rgb', 'bgr')
    )
    bgr.load_state_dict(rgb.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(rgb(images)[-1], bgr(images.flip(1))[-1])
    assert bgr.channel_order == 'bgr'


@pytest.mark.parametrize(
    ('backbone', 'channels', 'stride'),
    [
        (dict(name='test_convnext', out_indices=(1, 2)), [32, 48], 8),
        (dict(name='test_vit', img_size=(96, 256), out_indices=(-1,)), [64], 16),
    ],
)
def test_in_the_detector(backbone, channels, stride):
    """Convolutional and transformer backbones under BEVDet's neck, forwards and backwards."""
    cfg = read_config('toy/bevdet_plain_toy.py')
    cfg.model.img_backbone = dict(type='TimmBackbone', **backbone)
    cfg.model.img_neck.in_channels = channels
    cfg.model.img_view_transformer.stride = stride
    model = build_model(cfg)
    size = model.img_view_transformer.space.image_size
    features = model.extract_img_feat(torch.rand(1, 2, 3, *size))
    assert features.shape[-2:] == model.img_view_transformer.frustum.shape[1:3]
    features.sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in model.img_backbone.parameters())
