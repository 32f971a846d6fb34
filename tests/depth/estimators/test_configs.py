"""All depth configs can be built; an encoder is swapped in a few lines."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from hybrid_depth.checkpoints.build import build_model
from hybrid_depth.foundation import LanguageHead
from tests.conftest import ROOT
from tests.golden.reader import Golden

CONFIGS = ROOT / 'configs'
GOLDEN = Golden('hybrid_depth_train')
HYBRID = 'HybridDepthEncoder'
# model, encoder, its strides, logits a pixel
RESNET = ('Monodepth2', 'ResNetDepthEncoder', [2, 4, 8, 16, 32], 0)
SUPERVISED = ('SupervisedDepth', *RESNET[1:])
PHYSICS = 'monodepth2/monodepth2-{}_r18_1xb12-20e_kitti-raw_192x640'.format
MONODEPTH2 = 'monodepth2/monodepth2_{}_192x640'.format
MANYDEPTH = 'manydepth/manydepth_{}'.format
MONO_VIFI = 'mono_vifi/mono-vifi_{}'.format
STAGE_1 = 'hybrid_depth/hybrid-depth-stage1_clip-dinov2_1xb6-20e_{}'.format
STAGE_2 = 'hybrid_depth/hybrid-depth-stage2_{}_1xb16-30e_kitti-raw_224x672'.format
NUSCENES = 'hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-20e_nus-video_280x504'
EXPECTED = {
    MONODEPTH2('r18_1xb12-20e_kitti-raw'): RESNET,
    MONODEPTH2('r18_1xb2-15e_kitti-drive'): RESNET,
    MONODEPTH2('r50_1xb12-20e_kitti-raw'): RESNET,
    PHYSICS('physics'): SUPERVISED,
    PHYSICS('physics-photometric'): RESNET,
    MONODEPTH2('convnext-tiny-dinov3_1xb12-20e_kitti-raw'): (
        'Monodepth2',
        'TimmDepthEncoder',
        [4, 8, 16, 32],
        0,
    ),
    STAGE_2('clip-dinov2'): ('Monodepth2', HYBRID, [14] * 4, 256),
    STAGE_2('clip-dinov2-tokenpose'): ('Monodepth2', HYBRID, [14] * 4, 256),
    STAGE_2('clip-dinov2-notext'): ('Monodepth2', HYBRID, [14] * 4, 0),
    STAGE_2('clip'): ('Monodepth2', HYBRID, [4, 8, 16, 32], 256),
    STAGE_2('dinov2'): ('Monodepth2', HYBRID, [14] * 4, 0),
    STAGE_2('clip-dinov3'): ('Monodepth2', HYBRID, [16] * 4, 256),
    STAGE_2('siglip2-dinov2'): ('Monodepth2', HYBRID, [14] * 4, 0),
    STAGE_2('clip-vitb16-dinov2'): ('Monodepth2', HYBRID, [14] * 4, 256),
    NUSCENES: ('Monodepth2', HYBRID, [14] * 4, 256),
    STAGE_1('tusimple_224x392'): ('LanguageAlignment', HYBRID, [14] * 4, 7),
    STAGE_1('kitti-raw_224x672'): ('LanguageAlignment', HYBRID, [14] * 4, 7),
    STAGE_1('nus-front_224x672'): ('LanguageAlignment', HYBRID, [14] * 4, 7),
    'toy/monodepth2_r18_toy': RESNET,
    'toy/monodepth2-physics_r18_toy': SUPERVISED,
    'toy/monodepth2-photometric_r18_toy': RESNET,
    'toy/monodepth2-physics-photometric_r18_toy': RESNET,
    'toy/monodepth2-prior_r18_toy': ('Monodepth2', 'PriorEncoder', *RESNET[2:]),
    'toy/monodepth2_hybrid_toy': ('Monodepth2', HYBRID, [8] * 4, 16),
    'toy/monodepth2_hybrid_notext_toy': ('Monodepth2', HYBRID, [8] * 4, 0),
    'toy/hybrid_stage1_toy': ('LanguageAlignment', HYBRID, [8] * 4, 7),
    'toy/hybrid_stage1_ground_toy': ('LanguageAlignment', HYBRID, [8] * 4, 7),
    'toy/monodepth2_hybrid_video_toy': ('Monodepth2', HYBRID, [16] * 4, 8),
    'toy/hybrid_stage1_video_toy': ('LanguageAlignment', HYBRID, [16] * 4, 7),
    MANYDEPTH('r18_1xb12-20e_kitti-raw_192x640'): ('ManyDepth', *RESNET[1:]),
    MANYDEPTH('r18_1xb12-20e_cityscapes_192x512'): ('ManyDepth', *RESNET[1:]),
    MANYDEPTH('r50_1xb12-20e_kitti-raw_192x640'): ('ManyDepth', *RESNET[1:]),
    MANYDEPTH('clip-dinov2_1xb12-20e_kitti-raw_224x672'): ('ManyDepth', HYBRID, [14] * 4, 128),
    'toy/manydepth_r18_toy': ('ManyDepth', *RESNET[1:]),
    'toy/manydepth-prior_r18_toy': ('ManyDepth', 'PriorEncoder', *RESNET[2:]),
    'toy/manydepth_hybrid_toy': ('ManyDepth', HYBRID, [8] * 4, 16),
    MONO_VIFI('r18_1xb10-20e_kitti-raw_192x640'): ('MonoViFI', *RESNET[1:]),
    MONO_VIFI('r18_1xb12-10e_cityscapes_192x512'): ('MonoViFI', *RESNET[1:]),
    MONO_VIFI('litemono_1xb8-20e_kitti-raw_192x640'): (
        'MonoViFI',
        'LiteMonoEncoder',
        [4, 8, 16],
        0,
    ),
    MONO_VIFI('dhrnet_1xb6-20e_kitti-raw_192x640'): (
        'MonoViFI',
        'DHRNetEncoder',
        [2, 4, 8, 16, 32],
        0,
    ),
    MONO_VIFI('clip-dinov2_1xb6-20e_kitti-raw_224x672'): ('MonoViFI', HYBRID, [14] * 4, 128),
    'toy/mono_vifi_r18_toy': ('MonoViFI', *RESNET[1:]),
}
TOWERS = {
    STAGE_2('clip-dinov3'): ('dino', 'vit', 'Eva'),
    STAGE_2('siglip2-dinov2'): ('clip', 'visual', 'TimmModel'),
    STAGE_2('clip-vitb16-dinov2'): ('clip', 'visual', 'VisionTransformer'),
}


def read(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


def build(name, monkeypatch):
    """A model without memory for its weights, on which the text tower does not run."""
    monkeypatch.setattr(LanguageHead, 'refresh', lambda self: None)
    with torch.device('meta'):
        return build_model(read(name))


def test_the_table_names_every_config():
    files = [
        path
        for name in ('monodepth2', 'manydepth', 'mono-vifi', 'mono_vifi', 'hybrid_')
        for path in CONFIGS.glob(f'*/{name}*.py')
    ]
    files += CONFIGS.glob('hybrid_depth/*.py')
    assert {path.relative_to(CONFIGS).with_suffix('').as_posix() for path in files} == set(EXPECTED)


@pytest.mark.parametrize('name', EXPECTED)
def test_model_builds(name, monkeypatch):
    model = build(name, monkeypatch)
    encoder = model.encoder
    found = (type(model).__name__, type(encoder).__name__, encoder.out_strides)
    assert (*found, encoder.text_channels) == EXPECTED[name]
    tower, body, kind = TOWERS.get(name, (None,) * 3)
    assert kind is None or type(getattr(getattr(encoder, tower), body)).__name__ == kind
    assert not any('attn' in name and 'pool' in name for name in model.state_dict())


@pytest.mark.parametrize('name', EXPECTED)
def test_pipelines_and_schedules_build(name):
    cfg = read(name)
    assert cfg.default_scope == 'mmengine'
    for part in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        dataset = cfg.get(part, {}).get('dataset', {})
        Compose(dataset.get('dataset', dataset).get('pipeline', []))
    build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)
    assert all(s['type'] in PARAM_SCHEDULERS for s in cfg.param_scheduler)


@pytest.mark.parametrize('size', ['large_1xb16-150e_kitti-raw_192x640', 'toy'])
def test_interpolation_builds(size, monkeypatch):
    name = 'toy/ifrnet_small_toy' if size == 'toy' else f'mono_vifi/ifrnet_{size}'
    model, cfg = build(name, monkeypatch), read(name)
    assert type(model).__name__ == 'FrameInterpolation' and cfg.val_dataloader is None
    Compose(cfg.train_dataloader.dataset.pipeline)
    assert build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)


def test_trainable_parts_equal_the_release(monkeypatch):
    """592 tensors flagged, 18 of them never used (docs/reference/golden.md, "Hybrid-depth")."""
    model = build(STAGE_2('clip-dinov2'), monkeypatch)
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    # The 256 tokens are one tensor here, unused parameters are dropped.
    assert len(learning) == 592 - 18 - 255
    model = build(STAGE_1('tusimple_224x392'), monkeypatch)
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    assert {name.split('.')[1] for name in learning} == {'clip', 'align'} and len(learning) == 171


def test_stage_2_optimiser_is_the_released_one():
    cfg = read(STAGE_2('clip-dinov2')).optim_wrapper
    (group,) = build_optim_wrapper(nn.Linear(1, 1), cfg).optimizer.param_groups
    found = [group['lr'], *group['betas'], group['eps'], group['weight_decay'], 1]
    GOLDEN.check_each('optimizer', found, 1e-9)


def test_stage_1_goes_through_one_cycle():
    """Rate and beta1 as PyTorch's OneCycleLR with the released numbers."""
    cfg, steps = read(STAGE_1('tusimple_224x392')), 40
    wrapper = build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s, optimizer=wrapper), default_args=dict(epoch_length=steps))
        if not s.get('convert_to_iter_based')
        else PARAM_SCHEDULERS.get(s['type']).build_iter_from_epoch(
            optimizer=wrapper,
            epoch_length=steps,
            **{k: v for k, v in s.items() if k not in ('type', 'convert_to_iter_based')},
        )
        for s in cfg.param_scheduler
    ]
    optimiser = torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=3.57e-4)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=3.57e-4, total_steps=20 * steps, div_factor=25, final_div_factor=100
    )
    worst = [0.0, 0.0]
    for _ in range(20 * steps - 1):
        ours, theirs = wrapper.param_groups[0], optimiser.param_groups[0]
        worst[0] = max(worst[0], abs(ours['lr'] - theirs['lr']) / 3.57e-4)
        worst[1] = max(worst[1], abs(ours['betas'][0] - theirs['betas'][0]))
        wrapper.optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        optimiser.step()
        cycle.step()
    # OneCycleLR counts its steps from zero to total_steps - 1, which shifts it by one step.
    assert worst[0] < 0.01 and worst[1] < 0.001
    assert wrapper.param_groups[0]['lr'] == pytest.approx(3.57e-4 / 2500, rel=0.05)
