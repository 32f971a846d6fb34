"""All BEV configs can be built; swapping the depth net is one entry."""

from pathlib import Path

import pytest
import torch
from mmdet3d.registry import MODELS
from mmengine import Config

import hybrid_depth.modules  # noqa: F401  registers models
from hybrid_depth.bev.depth_nets.camera_aware import CameraAwareDepthNet
from hybrid_depth.bev.depth_nets.encoder import EncoderDepthNet
from hybrid_depth.bev.depth_nets.plain import PlainDepthNet
from hybrid_depth.bev.detectors.bevdet import BEVDet
from hybrid_depth.checkpoints.build import build_model, without_pretrained

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
EXPECTED = {
    'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py': PlainDepthNet,
    'bevdet/bevdet_convnext-tiny-dinov3-depth_8xb8-cbgs-20e_nus-3d_256x704.py': (
        CameraAwareDepthNet
    ),
    'bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'bevdet_hybrid.py': EncoderDepthNet,
    'bevdet/bevdet_r50-hybrid-pseudo_8xb8-cbgs-20e_nus-3d_256x704.py': EncoderDepthNet,
    'bevdet/bevdet_r18_1xb1-300iter_nus-keyframe_256x704.py': PlainDepthNet,
    'bevdet4d/bevdet4d_r50_8xb8-cbgs-20e_nus-3d_256x704.py': PlainDepthNet,
    'bevdet4d/bevdet4d_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'bevdet4d/bevdet4d-longterm_r50_8xb8-cbgs-20e_nus-3d_256x704.py': PlainDepthNet,
    'bevdet4d/bevdet4d-longterm_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'bevdet4d/bevdet4d_r50-hybrid_8xb8-cbgs-20e_nus-3d_256x704.py': EncoderDepthNet,
    'fbbev/fbbev_r18_1xb1-300iter_nus-keyframe_256x704.py': PlainDepthNet,
    'fbbev/fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'fbbev/fbbev-history_r50-depth_8xb8-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'fbbev/fbbev-voxel_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py': CameraAwareDepthNet,
    'fbbev/fbbev_r50-hybrid_8xb8-cbgs-20e_nus-3d_256x704.py': EncoderDepthNet,
    'toy/fbbev_hybrid_toy.py': EncoderDepthNet,
    'toy/fbbev_hybrid_history_toy.py': EncoderDepthNet,
    'toy/bevdet_plain_toy.py': PlainDepthNet,
    'toy/bevdet_depth_toy.py': CameraAwareDepthNet,
    'toy/bevdet_embodied_toy.py': EncoderDepthNet,
    'toy/bevdet_hybrid_augmented_toy.py': EncoderDepthNet,
    'toy/bevdet_hybrid_toy.py': EncoderDepthNet,
    'toy/bevdet_hybrid_no_prior_toy.py': EncoderDepthNet,
    'toy/bevdet4d_toy.py': CameraAwareDepthNet,
    'toy/claim_bev/fbbev_none.py': EncoderDepthNet,
    'toy/claim_bev/fbbev_lidar.py': EncoderDepthNet,
    'toy/claim_bev/fbbev_pseudo.py': EncoderDepthNet,
    'toy/claim_bev/fbbev_both.py': EncoderDepthNet,
}


def test_the_table_lists_every_bev_config():
    files = {p.relative_to(CONFIGS).as_posix() for p in CONFIGS.rglob('*bev*.py')}
    assert {f for f in files if not f.startswith('_base_')} == set(EXPECTED)


@pytest.mark.parametrize('name', EXPECTED)
def test_config_builds(name):
    cfg = Config.fromfile(CONFIGS / name)
    transformer = MODELS.build(without_pretrained(cfg.model.img_view_transformer))
    assert type(transformer.depth_net) is EXPECTED[name]
    assert transformer.depth_net.bins is transformer.bins


@pytest.mark.parametrize(
    ('name', 'targets', 'loads', 'net'),
    [
        ('none', [], [], EncoderDepthNet),
        ('lidar', ['lidar'], ['LoadLidarDepth'], EncoderDepthNet),
        ('pseudo', ['pseudo'], ['LoadPseudoDepth'], EncoderDepthNet),
        ('physics', ['physics'], ['LoadPhysicsDepth'], EncoderDepthNet),
        ('both', ['lidar', 'pseudo'], ['LoadPseudoDepth', 'LoadLidarDepth'], EncoderDepthNet),
        ('lidar_plain', ['lidar'], ['LoadLidarDepth'], PlainDepthNet),
        ('lidar_camera_aware', ['lidar'], ['LoadLidarDepth'], CameraAwareDepthNet),
        ('lidar_pretrained', ['lidar'], ['LoadLidarDepth'], EncoderDepthNet),
    ],
)
def test_toy_study_changes_one_option(name, targets, loads, net):
    folder = CONFIGS / 'toy/depth_supervision'
    assert len(list(folder.glob('*.py'))) == 9
    cfg, control = Config.fromfile(folder / f'{name}.py'), Config.fromfile(folder / 'none.py')
    depth_net = build_model(cfg).img_view_transformer.depth_net
    assert type(depth_net) is net and [t.name for t in depth_net.depth_targets] == targets
    pipeline = [step.type for step in cfg.train_dataloader.dataset.dataset.pipeline]
    assert [step for step in pipeline if step.startswith('Load')][2:] == loads
    for part in ('img_backbone', 'img_neck', 'img_bev_encoder_backbone', 'pts_bbox_head'):
        assert cfg.model[part] == control.model[part]
    for part in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'test_dataloader'):
        assert cfg[part] == control[part]


def test_true_depth_is_all_that_its_config_changes():
    folder = CONFIGS / 'toy/depth_supervision'
    cfg, control = (Config.fromfile(folder / f'{name}.py') for name in ('true_depth', 'none'))
    depth_net = build_model(cfg).img_view_transformer.depth_net
    assert type(depth_net) is PlainDepthNet and depth_net.depth_targets == []
    assert [hook.type for hook in cfg.custom_hooks] == ['TrueDepthHook']
    for loaders in (
        (cfg.train_dataloader.dataset, control.train_dataloader.dataset),
        (
            cfg.test_dataloader,
            control.test_dataloader,
        ),
    ):
        found, expected = (loader.dataset.pipeline for loader in loaders)
        assert found[[step.type for step in found].index('ImageAugmentation') + 1] == dict(
            type='LoadTrueDepth', folder='data/toy/depth', root='data/toy/'
        )
        assert [step for step in found if step.type != 'LoadTrueDepth'] == expected
    for part in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'test_evaluator'):
        assert cfg[part] == control[part]


def test_official_configs_keep_official_conventions():
    for name in (
        'bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py',
        'bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
    ):
        model = Config.fromfile(CONFIGS / name).model
        transformer = model.img_view_transformer
        assert model.img_backbone.channel_order == 'bgr'
        assert transformer.grid.rounding == 'trunc'
        assert transformer.depth_bins.anchor == 'lower'
        assert transformer.frustum_align == 'corners'


@pytest.mark.parametrize('name', [name for name in EXPECTED if 'fbbev' in name])
def test_fb_bev_matches_its_view_transformer(name):
    model = build_model(Config.fromfile(CONFIGS / name))
    assert type(model) is BEVDet and model.refine is not None
    width, height, levels = model.img_view_transformer.grid.size
    channels = model.backward_projection.bev_embedding.embedding_dim
    bev = torch.zeros(1, levels * channels, height, width)
    assert model.eval().img_bev_encoder_backbone(bev)[0].shape[0] == 1
    assert model.backward_projection.size == (height, width)
    assert model.backward_projection.bins is model.img_view_transformer.bins
    assert (model.temporal is not None) == ('history' in name)
    assert hasattr(model, 'history_fusion') == ('history' in name)
