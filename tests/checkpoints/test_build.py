"""Models of a config without its foundation weights."""

from hybrid_depth.checkpoints.build import without_pretrained


def test_sources_of_weights_are_left_out_and_nothing_else():
    kaiming = dict(type='Kaiming', layer='Conv2d')
    cfg = dict(
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
        encoder=dict(pretrained='openai', depth=18, init_cfg=kaiming),
        heads=[dict(init_cfg=[kaiming]), dict(init_cfg=dict(type='Pretrained', checkpoint='a'))],
        sizes=(1, 2),
    )
    assert without_pretrained(cfg) == dict(
        init_cfg=None,
        encoder=dict(pretrained=None, depth=18, init_cfg=kaiming),
        heads=[dict(init_cfg=[kaiming]), dict(init_cfg=None)],
        sizes=(1, 2),
    )
    assert cfg['encoder']['pretrained'] == 'openai'  # the config itself is as it was
