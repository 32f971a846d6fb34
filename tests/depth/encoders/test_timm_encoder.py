import torch
from mmengine.registry import MODELS


def test_pyramid():
    encoder = MODELS.build(dict(type='TimmDepthEncoder', name='test_resnet', out_indices=(1, 2, 3)))
    features = encoder(torch.rand(2, 3, 64, 96))
    assert len(features.maps) == 3 and features.text_logits is None
    for feature, channels, stride in zip(
        features.maps, encoder.out_channels, encoder.out_strides, strict=True
    ):
        assert feature.shape == (2, channels, 64 // stride, 96 // stride)
    assert encoder.out_strides == sorted(encoder.out_strides)


def test_normalises_its_input():
    torch.manual_seed(0)
    encoder = MODELS.build(
        dict(type='TimmDepthEncoder', name='test_resnet', mean=(0.5,) * 3, std=(1,) * 3)
    )
    plain = MODELS.build(dict(type='TimmDepthEncoder', name='test_resnet', mean='none', std='none'))
    plain.load_state_dict(encoder.state_dict())
    images = torch.rand(1, 3, 32, 32)
    got, expected = encoder.eval()(images), plain.eval()(images - 0.5)
    assert torch.equal(got.maps[-1], expected.maps[-1])


def test_channels_last_maps_of_swin():
    """timm's Swin gives (B, h, w, C)."""
    sizes = dict(embed_dim=8, depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1), window_size=2)
    name = 'swin_tiny_patch4_window7_224'
    cfg = dict(type='TimmDepthEncoder', name=name, img_size=(64, 96), **sizes)
    encoder, images = MODELS.build(cfg).eval(), torch.rand(2, 3, 64, 96)
    maps = encoder(images).maps
    for level, channels, stride in zip(
        maps, encoder.out_channels, encoder.out_strides, strict=True
    ):
        assert level.shape == (2, channels, 64 // stride, 96 // stride)
    last = encoder.body(encoder.normalize(images))[-1]
    assert torch.equal(maps[-1][1, :, 0, 2], last[1, 0, 2])
