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
STAGE2 = Golden('hybrid_depth_train')
HYBRID = 'HybridDepthEncoder'
# model, encoder, its strides, logits per pixel
EXPECTED = {
    'depth/monodepth2_r18_kitti': ('Monodepth2', 'ResNetDepthEncoder', [2, 4, 8, 16, 32], 0),
    'depth/monodepth2_r18_kitti_drive': (
        'Monodepth2',
        'ResNetDepthEncoder',
        [2, 4, 8, 16, 32],
        0,
    ),
    'depth/monodepth2_r50_kitti': ('Monodepth2', 'ResNetDepthEncoder', [2, 4, 8, 16, 32], 0),
    'depth/monodepth2_convnext_kitti': ('Monodepth2', 'TimmDepthEncoder', [4, 8, 16, 32], 0),
    'depth/monodepth2_hybrid_kitti': ('Monodepth2', HYBRID, [14] * 4, 256),
    'depth/monodepth2_hybrid_tokenpose_kitti': ('Monodepth2', HYBRID, [14] * 4, 256),
    'depth/monodepth2_hybrid_notext_kitti': ('Monodepth2', HYBRID, [14] * 4, 0),
    'depth/monodepth2_hybrid_clip_kitti': ('Monodepth2', HYBRID, [4, 8, 16, 32], 256),
    'depth/monodepth2_hybrid_dino_kitti': ('Monodepth2', HYBRID, [14] * 4, 0),
    'depth/monodepth2_hybrid_dinov3_kitti': ('Monodepth2', HYBRID, [16] * 4, 256),
    'depth/monodepth2_hybrid_siglip2_kitti': ('Monodepth2', HYBRID, [14] * 4, 0),
    'depth/monodepth2_hybrid_vitb16_kitti': ('Monodepth2', HYBRID, [14] * 4, 256),
    'depth/monodepth2_hybrid_nuscenes': ('Monodepth2', HYBRID, [14] * 4, 256),
    'depth/hybrid_stage1_tusimple': ('LanguageAlignment', HYBRID, [14] * 4, 7),
    'depth/hybrid_stage1_kitti': ('LanguageAlignment', HYBRID, [14] * 4, 7),
    'depth/hybrid_stage1_nuscenes': ('LanguageAlignment', HYBRID, [14] * 4, 7),
    'toy/monodepth2_r18_toy': ('Monodepth2', 'ResNetDepthEncoder', [2, 4, 8, 16, 32], 0),
    'toy/monodepth2_hybrid_toy': ('Monodepth2', HYBRID, [8] * 4, 16),
    'toy/monodepth2_hybrid_notext_toy': ('Monodepth2', HYBRID, [8] * 4, 0),
    'toy/hybrid_stage1_toy': ('LanguageAlignment', HYBRID, [8] * 4, 7),
    'toy/hybrid_stage1_ground_toy': ('LanguageAlignment', HYBRID, [8] * 4, 7),
    'toy/monodepth2_hybrid_video_toy': ('Monodepth2', HYBRID, [16] * 4, 8),
    'toy/hybrid_stage1_video_toy': ('LanguageAlignment', HYBRID, [16] * 4, 7),
}
TOWERS = {
    'depth/monodepth2_hybrid_dinov3_kitti': ('dino', 'vit', 'Eva'),
    'depth/monodepth2_hybrid_siglip2_kitti': ('clip', 'visual', 'TimmModel'),
    'depth/monodepth2_hybrid_vitb16_kitti': ('clip', 'visual', 'VisionTransformer'),
}


def read(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


def build(name, monkeypatch):
    """A model without memory for its weights, on which the text tower does not run."""
    monkeypatch.setattr(LanguageHead, 'refresh', lambda self: None)
    with torch.device('meta'):
        return build_model(read(name))


def test_the_table_lists_every_config():
    files = [*CONFIGS.glob('depth/*.py'), *CONFIGS.glob('toy/*.py')]
    names = {path.relative_to(CONFIGS).with_suffix('').as_posix() for path in files}
    mine = {n for n in names if n.split('/')[1].startswith(('monodepth2', 'hybrid_stage1'))}
    assert mine == set(EXPECTED)


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


def test_trainable_parts_equal_the_release(monkeypatch):
    """592 tensors flagged, 18 of them never used (docs/reference/golden.md, "Hybrid-depth")."""
    model = build('depth/monodepth2_hybrid_kitti', monkeypatch)
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    # The 256 tokens are one tensor here, unused parameters are dropped.
    assert len(learning) == 592 - 18 - 255
    model = build('depth/hybrid_stage1_tusimple', monkeypatch)
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    assert {name.split('.')[1] for name in learning} == {'clip', 'align'} and len(learning) == 171


def test_stage_2_optimiser_equals_the_release():
    cfg = read('depth/monodepth2_hybrid_kitti').optim_wrapper
    (group,) = build_optim_wrapper(nn.Linear(1, 1), cfg).optimizer.param_groups
    found = [group['lr'], *group['betas'], group['eps'], group['weight_decay'], 1]
    STAGE2.check_each('optimizer', found, 1e-9)


def test_stage_1_schedule_equals_one_cycle():
    """Rate and beta1 as PyTorch's OneCycleLR with the release's parameters."""
    cfg, steps = read('depth/hybrid_stage1_tusimple'), 40
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
