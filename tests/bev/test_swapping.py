"""Every depth encoder under every depth net under every detector: one training step each."""

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hybrid_depth.checkpoints.build import build_model, without_pretrained
from hybrid_depth.checkpoints.encoder_weights import EncoderWeights
from tests.bev.toy import training_keyframe
from tests.conftest import ROOT
from tests.depth.encoders.tiny import TINY_HYBRID
from tests.depth.estimators import test_manydepth as manydepth
from tests.depth.estimators import test_mono_vifi as mono_vifi
from tests.depth.estimators.tiny import CONV_DECODER, DPT

DETECTORS = ('bevdet_depth_toy', 'bevdet4d_toy', 'fbbev_hybrid_toy')
MONODEPTH2 = 'monodepth2/monodepth2_{}_192x640'.format
PHYSICS = 'monodepth2/monodepth2-{}_r18_1xb12-20e_kitti-raw_192x640'.format
MONO_VIFI = 'mono_vifi/mono-vifi_{}'.format
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
    'manydepth/manydepth_clip-dinov2_1xb12-20e_kitti-raw_224x672',
    MONO_VIFI('litemono_1xb8-20e_kitti-raw_192x640'),
    MONO_VIFI('dhrnet_1xb6-20e_kitti-raw_192x640'),
    MONO_VIFI('clip-dinov2_1xb6-20e_kitti-raw_224x672'),
)
# Configs with the encoder of another config, which is in the tables.
SAME = {
    MONODEPTH2('r18_1xb2-15e_kitti-drive'): ENCODERS[1],
    PHYSICS('physics'): ENCODERS[1],
    PHYSICS('physics-photometric'): ENCODERS[1],
    STAGE_2('clip-dinov2-tokenpose_1xb16-30e_kitti-raw'): FULL_SIZE_ENCODERS[2],
    'hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-20e_nus-video_280x504': (
        FULL_SIZE_ENCODERS[2]
    ),
    'manydepth/manydepth_r18_1xb12-20e_kitti-raw_192x640': ENCODERS[1],
    'manydepth/manydepth_r18_1xb12-20e_cityscapes_192x512': ENCODERS[1],
    'manydepth/manydepth_r50_1xb12-20e_kitti-raw_192x640': FULL_SIZE_ENCODERS[1],
    MONO_VIFI('r18_1xb10-20e_kitti-raw_192x640'): ENCODERS[1],
    MONO_VIFI('r18_1xb12-10e_cityscapes_192x512'): ENCODERS[1],
}
# Small models of several frames, with their encoders and decoders.
RESNET, ONE_SCALE = manydepth.RESNET, dict(CONV_DECODER, scales=(0,))
SEVERAL_FRAMES = {
    'manydepth-resnet18': (manydepth, RESNET, CONV_DECODER, dict(augmentation=False)),
    'manydepth-hybrid': (manydepth, TINY_HYBRID, DPT, dict(augmentation=False)),
    'mono-vifi-resnet18': (mono_vifi, RESNET, ONE_SCALE, {}),
    'mono-vifi-hybrid': (mono_vifi, TINY_HYBRID, DPT, dict(sharing='none')),
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


def step(
    detector: str, depth_net: dict, batch: dict, weights: str | None = None
) -> torch.nn.Module:
    """A detector with another depth net, its encoder loaded from a checkpoint, after one backward
    pass."""
    cfg = Config.fromfile(ROOT / f'configs/toy/{detector}.py')
    shared = cfg.model.img_view_transformer.depth_net
    options = {} if depth_net['type'] == 'PlainDepthNet' else dict(mid_channels=16, aspp_channels=8)
    cfg.model.img_view_transformer.depth_net = dict(
        depth_net, depth_supervision=shared.depth_supervision, **options
    )
    model = build_model(cfg).train()
    if weights:
        EncoderWeights(weights, part='img_view_transformer.depth_net')(model)
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


def check_encoder(
    detector: str, encoder: dict, batch: dict, weights: str | None = None
) -> torch.nn.Module:
    """Check that the encoder, which is returned, gets a gradient in one step."""
    depth_net = dict(type='EncoderDepthNet', encoder=encoder, encoder_channels=16)
    net = step(detector, depth_net, batch, weights).img_view_transformer.depth_net
    learned = [p for p in net.encoder.parameters() if p.requires_grad]
    assert learned and any(p.grad is not None and p.grad.abs().sum() > 0 for p in learned)
    return net.encoder


@pytest.mark.parametrize('detector', DETECTORS)
@pytest.mark.parametrize('encoder', ENCODERS)
@pytest.mark.parametrize('prior', [False, True])
def test_encoders(detector, encoder, prior, batch):
    tower = encoder_of(encoder)
    if tower.type == 'PriorEncoder':
        tower = tower.encoder
    ground = dict(type='PriorEncoder', encoder=tower, prior=dict(type='GroundPlanePrior'))
    trained = check_encoder(detector, ground if prior else tower, batch)
    assert (trained.prior is not None) == prior


@pytest.mark.parametrize('detector', DETECTORS[::2])
def test_embodied_prior(detector, batch):
    """Detectors without earlier frames hand the depth net the embodied depth of the images; without
    it there is an error."""
    tower = dict(type='TimmDepthEncoder', name='test_resnet')
    encoder = dict(type='PriorEncoder', encoder=tower, prior=dict(type='EmbodiedPrior'))
    (images,) = batch['inputs']['img']
    depth = torch.full((len(images), *images.shape[-2:]), 20.5)
    known = dict(batch, inputs=dict(batch['inputs'], physics_depth=[depth]))
    net = dict(type='EncoderDepthNet', encoder=encoder, encoder_channels=16)
    prior = step(detector, net, known).img_view_transformer.depth_net.prior_projection
    # bin 19 of the toy detectors is 20 to 21 m
    assert prior.weight.grad.abs().sum((0, 2, 3)).argmax() == 19
    with pytest.raises(ValueError, match='expected physics_depth'):
        step(detector, net, batch)


@pytest.fixture(scope='module', params=SEVERAL_FRAMES)
def trained(request, tmp_path_factory) -> tuple[dict, str, dict]:
    """Encoder of a model of several frames, its checkpoint after one training step, and the
    encoder's weights."""
    family, encoder, decoder, options = SEVERAL_FRAMES[request.param]
    model = family.build(encoder=encoder, decoder=decoder, **options)
    before = {name: p.clone() for name, p in model.encoder.named_parameters()}
    model.parse_losses(model(manydepth.make_inputs(), mode='loss'))[0].backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert any(not torch.equal(p, before[name]) for name, p in model.encoder.named_parameters())
    file = tmp_path_factory.mktemp('several_frames') / 'epoch_1.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), file)
    return encoder, str(file), model.encoder.state_dict()


@pytest.mark.parametrize('detector', DETECTORS[::2])
def test_encoders_trained_from_several_frames(detector, trained, batch):
    """The checkpoint has another encoder too: a teacher's, or that of three frames."""
    encoder, file, given = trained
    loaded = dict(check_encoder(detector, encoder, batch, file).named_parameters())
    assert loaded and all(torch.equal(p, given[name]) for name, p in loaded.items())


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
    check_encoder(detector, encoder_of(encoder), batch)


def test_the_tables_name_every_encoder():
    configs = ROOT / 'configs'
    folders = ('monodepth2/', 'hybrid_depth/*stage2', 'manydepth/', 'mono_vifi/mono-vifi')
    patterns = [f'{folder}*.py' for folder in folders]
    files = [path for pattern in patterns for path in configs.glob(pattern)]
    names = {path.relative_to(configs).with_suffix('').as_posix() for path in files}
    assert names == {n for n in {*ENCODERS, *FULL_SIZE_ENCODERS, *SAME} if 'bevdet' not in n}


@pytest.mark.parametrize(('config', 'other'), SAME.items())
def test_the_same_encoders_are(config, other):
    assert without_pretrained(encoder_of(config)) == without_pretrained(encoder_of(other))
