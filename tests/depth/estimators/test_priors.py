"""Every estimator with every encoder and prior: one training step, prediction, bad inputs."""

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.geometry.camera_view import CameraView
from tests.depth.encoders.tiny import TINY_HYBRID
from tests.depth.estimators.test_manydepth import TINY as MANYDEPTH
from tests.depth.estimators.test_mono_vifi import CFG as MONO_VIFI
from tests.depth.estimators.tiny import CONV_DECODER, DPT, SIZE, TIMM, make_inputs

PRIORS = dict(ground=dict(type='GroundPlanePrior', height=1.5), embodied=dict(type='EmbodiedPrior'))
TOWERS = dict(
    timm=(TIMM, CONV_DECODER),
    resnet=(dict(type='ResNetDepthEncoder'), CONV_DECODER),
    hybrid=(TINY_HYBRID, DPT),
)
POSE = dict(type='ResNetPoseNet', depth=18)
MODELS_BY_NAME = dict(
    Monodepth2=dict(type='Monodepth2', pose_net=POSE),
    ManyDepth=MANYDEPTH,
    MonoViFI=MONO_VIFI,
    SupervisedDepth=dict(type='SupervisedDepth', target='physics_depth'),
)
PAIRS = [
    *((name, 'timm') for name in MODELS_BY_NAME),
    ('ManyDepth', 'resnet'),
    ('Monodepth2', 'hybrid'),
    ('ManyDepth', 'hybrid'),
]


def build(name: str, tower: str = 'timm', prior: str | None = 'ground', **changes):
    """A model whose encoder has the prior; None for the encoder alone."""
    torch.manual_seed(0)
    encoder, decoder = TOWERS[tower]
    if name == 'MonoViFI':
        decoder = dict(decoder, scales=(0,))
    if prior is not None:
        encoder = dict(type='PriorEncoder', encoder=encoder, prior=PRIORS[prior])
    return MODELS.build({**MODELS_BY_NAME[name], 'encoder': encoder, 'decoder': decoder, **changes})


def inputs_with_depth() -> dict:
    torch.manual_seed(1)
    inputs = make_inputs()
    rows = torch.linspace(40, 4, SIZE[0])[None, None, :, None]
    inputs['physics_depth'] = rows.expand(2, 1, *SIZE).clone()
    return inputs


def first_weight(model) -> torch.Tensor:
    """The decoder's first convolution."""
    return next(p for n, p in model.decoder.named_parameters() if p.ndim == 4)


@pytest.mark.parametrize('prior', PRIORS)
@pytest.mark.parametrize(('name', 'tower'), PAIRS)
def test_a_training_step(name, tower, prior):
    """Every loss is finite; the tower and the decoder's weights of the prior learn."""
    model, inputs = build(name, tower, prior), inputs_with_depth()
    losses = model(inputs, mode='loss')
    total = model.parse_losses(losses)[0]
    assert torch.isfinite(total)
    total.backward()
    learned = [p for p in model.encoder.parameters() if p.requires_grad]
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in learned)
    if tower != 'hybrid':  # whose decoder has one convolution per map
        # the first convolution sees the coarsest map, whose last 16 channels are the code
        grad = first_weight(model).grad
        assert grad[:, : -model.encoder.bins.num].abs().sum() > 0


@pytest.mark.parametrize('prior', PRIORS)
@pytest.mark.parametrize('name', MODELS_BY_NAME)
def test_the_prior_changes_the_prediction(name, prior):
    """Nearer ground, or nearer embodied depth, gives another depth in every mode of the model."""
    model, inputs = build(name, prior=prior).eval(), inputs_with_depth()
    changed = dict(inputs)
    if prior == 'ground':
        changed['cam2img'] = inputs['cam2img'].clone()
        changed['cam2img'][:, 1, 2] -= 20  # the horizon is higher
    else:
        changed['physics_depth'] = inputs['physics_depth'] / 3
    with torch.no_grad():
        before, after = model.predictions(inputs), model.predictions(changed)
        samples = model(inputs, mode='predict')
    assert before.keys() == after.keys()
    for mode, prediction in before.items():
        assert prediction.values.shape == (2, 1, *SIZE)
        assert not torch.allclose(prediction.values, after[mode].values), mode
    field = 'pred_depth' if name == 'SupervisedDepth' else 'pred_disparity'
    assert torch.equal(samples[0].get(field), before[''].values[0])


def test_intrinsics_suffice_for_the_ground():
    """As the tools for images give them; a view with more is accepted too."""
    model, inputs = build('Monodepth2').eval(), inputs_with_depth()
    frames, cam2img = inputs['images'], inputs['cam2img']
    with torch.no_grad():
        given = model.predict(frames, cam2img).values
        seen = model.predict(frames, CameraView(cam2img, SIZE)).values
    assert torch.equal(given, seen)


@pytest.mark.parametrize('name', MODELS_BY_NAME)
def test_missing_cameras_and_depth_are_errors(name):
    inputs = inputs_with_depth()
    frames = {0: inputs['images'][0]}
    with pytest.raises(ValueError, match='camera of the images, got none'):
        build(name).eval().predict(frames)
    with pytest.raises(ValueError, match='expected physics_depth'):
        build(name, prior='embodied').eval().predict(frames, inputs['cam2img'])


def test_pose_nets_on_features_are_refused():
    with pytest.raises(ValueError, match='pose net with its own encoder'):
        build('Monodepth2', pose_net=dict(type='SharedPoseNet'))


def test_maps_of_another_size_are_errors():
    inputs = inputs_with_depth()
    inputs['physics_depth'] = inputs['physics_depth'][..., 1:]
    with pytest.raises(ValueError, match='physics_depth: expected shape'):
        build('Monodepth2', prior='embodied')(inputs, mode='loss')
