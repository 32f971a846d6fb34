"""The configs of WorDepth, Vision-Language Embodiment and DepthCLIP build; weights are left out."""

import pytest
import torch
from mmengine.dataset import Compose
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.depth.transforms import LoadText
from tests.configs.shipped import NAMES, read

RECIPES = 'configs/embodied/{}_kitti-depth_352x1216.py'.format
FULL = {
    RECIPES('wordepth_swin-l_1xb3-50e'): ('WorDepth', [192, 384, 768, 1536], 1024),
    RECIPES('embodiment_swin-l_1xb3-50e'): (
        'VisionLanguageEmbodiment',
        [192, 384, 768, 1536],
        2048,
    ),
    'configs/embodied/embodiment_swin-l_1xb3-50e_ddad_384x640.py': (
        'VisionLanguageEmbodiment',
        [192, 384, 768, 1536],
        2048,
    ),
}
TOYS = {
    'configs/toy/wordepth_toy.py': ('WorDepth', 1024),
    'configs/toy/embodiment_toy.py': ('VisionLanguageEmbodiment', 2048),
}
DEPTH_CLIP = (RECIPES('depthclip_rn50_1xb4-0e'), 'configs/toy/depthclip_toy.py')


def test_every_config_is_here():
    listed = {*FULL, *TOYS, *DEPTH_CLIP}
    found = {n for n in NAMES if any(k in n for k in ('embodied/', 'wordepth', 'depthclip'))}
    assert listed == found | {'configs/toy/embodiment_toy.py'}


@pytest.mark.parametrize('name', FULL)
def test_the_published_widths(name):
    """On the meta device, as Swin-L has 200 M parameters."""
    with torch.device('meta'):
        model = build_model(read(name))
    kind, channels, width = FULL[name]
    assert type(model).__name__ == kind and model.encoder.out_channels == channels
    assert model.encoder.out_strides == [4, 8, 16, 32]
    decoder = model.decoder
    assert (decoder.widths, decoder.latent, decoder.log_depth) == ((512, 256, 64), 128, 2.54)
    assert model.text_vae.text_width == width and model.metric_head.layers[0].in_features == 1536
    assert (model.text_probability, model.skips, model.detach_text) == (0.5, 'image', True)
    size = tuple(read(name).model.encoder.img_size)
    depth = model.predict(
        {0: torch.rand(1, 3, *size, device='meta')},
        model.view(
            dict(
                images={0: torch.empty(1, 3, *size)},
                cam2img=torch.empty(1, 3, 3, device='meta'),
                physics_depth=torch.empty(1, 1, *size, device='meta'),
            )
        ),
    )
    assert depth.values.shape == (1, 1, *size)


@pytest.mark.parametrize('name', TOYS)
def test_the_toys_train_a_step(name):
    model, (kind, width) = build_model(read(name)), TOYS[name]
    assert type(model).__name__ == kind
    inputs = dict(
        images={0: torch.rand(2, 3, 64, 192)},
        cam2img=torch.eye(3).repeat(2, 1, 1),
        gt_depth=torch.rand(2, 1, 64, 192) * 50,
        physics_depth=torch.rand(2, 1, 64, 192) * 50,
        text=torch.randn(2, width),
    )
    losses = model.loss(inputs)
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert all(torch.isfinite(value) for value in losses.values())


@pytest.mark.parametrize('name', DEPTH_CLIP)
def test_depth_clip(name):
    cfg = read(name)
    cfg.model.encoder.pretrained = None
    model = build_model(cfg)
    assert model.training_free and model.text.shape == (7, len(model.text[0]))
    assert model.bins.tolist() == sorted(model.bins.tolist())


@pytest.mark.parametrize('name', [*FULL, *TOYS, *DEPTH_CLIP])
def test_pipelines_and_schedules_build(name, monkeypatch):
    monkeypatch.setattr(LoadText, '__init__', lambda self, **kwargs: None)  # files not at hand
    cfg = read(name)
    for part in ('train_dataloader', 'test_dataloader'):
        Compose(cfg[part].dataset.pipeline)
    build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)
    assert all(s['type'] in PARAM_SCHEDULERS for s in cfg.param_scheduler)
