"""Every depth encoder under every depth net under every detector: one training step each."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.checkpoints.build import build_model
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT

DETECTORS = ('bevdet_depth_toy', 'bevdet4d_toy', 'fbbev_hybrid_toy')
MONODEPTH2 = 'monodepth2/monodepth2_{}_192x640'.format
STAGE_2 = 'hybrid_depth/hybrid-depth-stage2_{}_224x672'.format
# Where each encoder is named; the hybrid net takes any of them.
ENCODERS = (
    'toy/bevdet_hybrid_toy',
    MONODEPTH2('r18_1xb12-20e_kitti-raw'),
    MONODEPTH2('convnext-tiny-dinov3_1xb12-20e_kitti-raw'),
)
FULL_SIZE_ENCODERS = (
    'bevdet_hybrid',
    MONODEPTH2('r50_1xb12-20e_kitti-raw'),
    STAGE_2('clip-dinov2_1xb16-30e_kitti-raw'),
    STAGE_2('clip-dinov2-notext_1xb16-30e_kitti-raw'),
    STAGE_2('clip_1xb16-30e_kitti-raw'),
    STAGE_2('dinov2_1xb16-30e_kitti-raw'),
    STAGE_2('clip-dinov3_1xb16-30e_kitti-raw'),
    STAGE_2('siglip2-dinov2_1xb16-30e_kitti-raw'),
    STAGE_2('clip-vitb16-dinov2_1xb16-30e_kitti-raw'),
)
# Configs with an encoder of another config, with other data or another pose net.
SAME = {
    MONODEPTH2('r18_1xb2-15e_kitti-drive'),
    STAGE_2('clip-dinov2-tokenpose_1xb16-30e_kitti-raw'),
    'hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-20e_nus-video_280x504',
}


@pytest.fixture(scope='module')
def batch(toy_nuscenes, tmp_path_factory) -> dict:
    """A toy keyframe with the previous one."""
    folder = tmp_path_factory.mktemp('infos')
    return pseudo_collate([training_keyframe('bevdet4d_toy', toy_nuscenes, folder, 1)])


def encoder_of(name: str) -> dict:
    """Encoder config without foundation weights, which `init_weights` reads."""
    model = Config.fromfile(ROOT / f'configs/{name}.py').model
    return model.encoder if 'encoder' in model else model.img_view_transformer.depth_net.encoder


def step(detector: str, depth_net: dict, batch: dict) -> torch.nn.Module:
    """A detector with another depth net after one backward pass."""
    cfg = Config.fromfile(ROOT / f'configs/toy/{detector}.py')
    shared = cfg.model.img_view_transformer.depth_net
    options = {} if depth_net['type'] == 'PlainDepthNet' else dict(mid_channels=16, aspp_channels=8)
    cfg.model.img_view_transformer.depth_net = dict(
        depth_net, depth_supervision=shared.depth_supervision, **options
    )
    model = build_model(cfg).train()
    data = model.data_preprocessor(batch, True)
    losses = model.loss(data['inputs'], data['data_samples'])
    total = sum(value for key, value in losses.items() if 'loss' in key)
    assert torch.isfinite(total) and losses['loss_depth_lidar'] > 0
    total.backward()
    return model


@pytest.mark.parametrize('detector', DETECTORS)
@pytest.mark.parametrize('depth_net', ['PlainDepthNet', 'CameraAwareDepthNet'])
def test_depth_nets(detector, depth_net, batch):
    net = step(detector, dict(type=depth_net), batch).img_view_transformer.depth_net
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)


def check_encoder(detector: str, encoder: str, batch: dict) -> None:
    """Check that the encoder gets a gradient in one step."""
    depth_net = dict(type='EncoderDepthNet', encoder=encoder_of(encoder), encoder_channels=16)
    net = step(detector, depth_net, batch).img_view_transformer.depth_net
    learned = [p for p in net.encoder.parameters() if p.requires_grad]
    assert learned and any(p.grad is not None and p.grad.abs().sum() > 0 for p in learned)


@pytest.mark.parametrize('detector', DETECTORS)
@pytest.mark.parametrize('encoder', ENCODERS)
def test_encoders(detector, encoder, batch):
    check_encoder(detector, encoder, batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('detector', 'encoder'),
    [
        *[('bevdet_depth_toy', name) for name in FULL_SIZE_ENCODERS],
        # of bevdet4d_r50-hybrid_* and fbbev_r50-hybrid_*
        *[(name, 'bevdet_hybrid') for name in DETECTORS[1:]],
    ],
)
def test_full_size_encoders(detector, encoder, batch):
    check_encoder(detector, encoder, batch)


def test_the_tables_name_every_encoder():
    configs = ROOT / 'configs'
    files = [*configs.glob('monodepth2/*.py'), *configs.glob('hybrid_depth/*stage2*.py')]
    names = {path.relative_to(configs).with_suffix('').as_posix() for path in files}
    assert names == {n for n in {*ENCODERS, *FULL_SIZE_ENCODERS, *SAME} if 'bevdet' not in n}
