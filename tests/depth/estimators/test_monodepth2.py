import copy

import pytest
import torch
from mmengine.registry import MODELS
from torch.nn.functional import avg_pool2d

from hybrid_depth.depth.estimators import DepthDataPreprocessor
from hybrid_depth.depth.pose import nets as pose_nets
from hybrid_depth.geometry import DepthMap
from hybrid_depth.geometry.rigid import invert_rigid
from hybrid_depth.losses import PhotometricError
from hybrid_depth.losses.smoothness import edge_aware_smoothness, normalize_by_mean
from tests.depth.estimators.tiny import CONV, HYBRID, SIZE, TIMM, make_inputs

STEREO = dict(pose_net=None, sources=('s',))
POSE_NETS = [
    dict(type='PoseCNN'),
    dict(type='ResNetPoseNet', num_motions=1),
    dict(type='SharedPoseNet', in_channels=96),
    dict(type='ClassTokenPoseNet', channels=64),
]


def build(base=CONV, **changes):
    torch.manual_seed(0)
    return MODELS.build({**base, **changes})


@pytest.mark.parametrize('pose_net', POSE_NETS, ids=lambda cfg: cfg['type'])
def test_every_parameter_gets_a_gradient_with_any_pose_net(pose_net):
    model = build(HYBRID, pose_net=pose_net)
    torch.nn.init.constant_(model.decoder.head[-1].bias, 0.5)
    loss, log = model.parse_losses(model(make_inputs(), mode='loss'))
    loss.backward()
    assert set(log) == {'loss', 'loss_photometric', 'loss_smoothness', 'warped_share'}
    assert loss == log['loss_photometric'] + log['loss_smoothness']
    unused = {name for name, p in model.named_parameters() if p.grad is None}
    assert unused == set()


@pytest.mark.parametrize('sources', [(-1,), (1,), (-2, 1), (-1, 1, 's'), ('s',)])
def test_any_sources(sources):
    model = build(sources=sources, pose_net=None if sources == ('s',) else CONV['pose_net'])
    found = model.compare(make_inputs(sources))
    assert list(found) == [0, 1]
    assert found[1].warped.shape == (len(sources), 2, 3, *SIZE)
    assert found[1].output.shape[-1] == SIZE[1] // 2


def test_networks_use_augmented_images_and_the_loss_clean_ones():
    model, inputs = build().eval(), make_inputs()
    plain = model.compare(inputs)[0]
    dark = dict(inputs, augmented={i: 0.5 * image for i, image in inputs['images'].items()})
    jittered = model.compare(dark)[0]
    assert not torch.allclose(jittered.output, plain.output)
    dark['images'] = dark['augmented']
    assert torch.equal(model.compare(dark)[0].output, jittered.output)
    assert not torch.allclose(model.compare(dark)[0].warped, jittered.warped)


@pytest.mark.parametrize(('full_size', 'times'), [(True, 1), (False, 2)])
def test_unwarped_errors_are_computed_once_per_resolution(monkeypatch, full_size, times):
    model, inputs, calls = build(full_size=full_size), make_inputs(), []
    original = PhotometricError.__call__

    def count(self, prediction):
        calls.append(prediction.requires_grad)
        return original(self, prediction)

    monkeypatch.setattr(PhotometricError, '__call__', count)
    model.loss(inputs)
    assert calls.count(False) == times and calls.count(True) == 2


@pytest.mark.parametrize('full_size', [True, False])
def test_a_pyramid_of_the_data_replaces_averaged_areas(full_size):
    """In the smoothness of a smaller scale, and in its errors unless they are full-size."""
    model, inputs = build(full_size=full_size, tie_break=0.0).eval(), make_inputs()
    averaged = {i: avg_pool2d(image, 2) for i, image in inputs['images'].items()}
    plain = model.compare(inputs)
    same = model.compare(dict(inputs, pyramid={1: averaged}))
    assert all(torch.equal(same[s].smallest, plain[s].smallest) for s in (0, 1))
    other = {i: torch.rand_like(image) for i, image in averaged.items()}
    found = model.compare(dict(inputs, pyramid={1: other}))
    for name in ('smallest', 'smoothness', 'warped'):
        assert torch.equal(getattr(found[0], name), getattr(plain[0], name))
    # the loss of the scale alone, from images of its size
    scaled = dict(images=other, augmented=inputs['images'], cam2img=inputs['cam2img'].clone())
    scaled['cam2img'][:, :2] *= 0.5
    views = model.views(scaled)
    if full_size:
        assert torch.equal(found[1].smallest, plain[1].smallest)
    else:
        expected = model.objective(views, found[1].depth, found[1].transforms, found[1].output)
        torch.testing.assert_close(found[1].warped, expected.warped)
    weighted = edge_aware_smoothness(normalize_by_mean(found[1].output), other[0])
    torch.testing.assert_close(found[1].smoothness, weighted)
    assert (found[1].smoothness - plain[1].smoothness).abs() > 1e-7


def test_automask_removes_a_static_camera():
    model, inputs = build(), make_inputs()
    inputs['images'] = dict.fromkeys((0, -1, 1), inputs['images'][0])
    assert model.loss(inputs)['warped_share'] < 0.05
    assert model.loss(inputs)['loss_photometric'] < 1e-3


def test_motion_from_the_data_needs_no_pose_net():
    """The frame before and the frame after, both given their motion, tell the same depth as stereo
    does with those two transforms."""
    inputs = make_inputs()
    sideways = torch.eye(4).repeat(2, 1, 1)
    sideways[:, 0, 3] = 0.1
    inputs['transforms'] = {-1: sideways, 1: invert_rigid(sideways)}
    model = build(pose_net=None)
    comparison = model.compare(inputs)[0]
    assert torch.equal(comparison.transforms, torch.stack([sideways, invert_rigid(sideways)]))
    as_stereo = dict(inputs, images={0: inputs['images'][0], 's': inputs['images'][-1]})
    as_stereo['transforms'] = dict(s=sideways)
    model.sources = ('s',)
    assert torch.equal(model.compare(as_stereo)[0].errors[0], comparison.errors[0])
    del inputs['transforms'][1]
    model.sources = (-1, 1)
    with pytest.raises(KeyError, match='need a pose_net, or data with motion'):
        model.loss(inputs)


def test_time_order_and_inversion(monkeypatch):
    """Swapping frames in time inverts the motion: the pose net's first input is the earlier."""
    seen = []

    class Recorder(pose_nets.PoseCNN):
        def forward(self, first, second):
            seen.append((first.images.mean().item(), second.images.mean().item()))
            return super().forward(first, second)

    model = build()
    model.pose_net.__class__ = Recorder
    inputs = make_inputs()
    inputs['images'] = {i: torch.full_like(inputs['images'][0], 0.5 + 0.1 * i) for i in (0, -1, 1)}
    transforms = model.compare(inputs)[0].transforms
    assert [tuple(round(v, 1) for v in pair) for pair in seen] == [(0.4, 0.5), (0.5, 0.6)]
    images = inputs['images']
    model.pose_net.depth_scaled = False
    transforms = model.compare(inputs)[0].transforms
    identity = transforms[0] @ model.relative_pose(images[-1], images[0])
    assert torch.allclose(identity, torch.eye(4).expand(2, 4, 4), atol=1e-6)
    assert torch.equal(transforms[1], model.relative_pose(images[0], images[1]))


@torch.no_grad()
def test_predicts_disparity_of_the_current_frame():
    model, images = build().eval(), torch.rand(2, 3, *SIZE)
    prediction = model.predict({0: images, -1: 1 - images, 's': 1 - images})
    assert prediction.kind == 'disparity' and prediction.values.shape == (2, 1, *SIZE)
    assert 0.01 < prediction.values.min() and prediction.values.max() < 10
    assert torch.equal(model.scale(model(dict(images={0: images}))[0]), prediction.values)
    with pytest.raises(KeyError, match=r'expected the current frame as frames\[0\].* \[-1\]'):
        model.predict({-1: images})


def test_metric_models_give_samples_with_depth(monkeypatch):
    model, images = build(), torch.rand(2, 3, *SIZE)
    metres = DepthMap(torch.rand(2, 1, *SIZE), 'metric')
    monkeypatch.setattr(model, 'predict', lambda frames, cameras: metres)
    samples = model(dict(images={0: images}), mode='predict')
    assert [s.kind for s in samples] == ['metric'] * 2 and 'pred_disparity' not in samples[0]
    assert torch.equal(samples[1].pred_depth, metres.values[1])


def test_predictions_have_a_kind():
    model, images = build().eval(), torch.rand(2, 3, *SIZE)
    items = [dict(inputs=dict(images={0: image}), data_samples=None) for image in images]
    data = dict(inputs=dict(images={0: [i['inputs']['images'][0] for i in items]}))
    samples = model.test_step(data)
    assert [s.kind for s in samples] == ['disparity'] * 2
    assert torch.allclose(samples[1].pred_disparity, model.disparity(images)[1], atol=1e-6)


def test_mixed_precision_compares_in_float32():
    model, inputs = build(HYBRID), make_inputs()
    torch.nn.init.constant_(model.decoder.head[-1].bias, 0.5)
    with torch.autocast('cpu', torch.bfloat16):
        found = model.compare(inputs)
        losses = model.loss(inputs)
        disparity = model.disparity(inputs['images'][0])
    assert found[0].depth.dtype == found[0].errors.dtype == disparity.dtype == torch.float32
    assert all(value.dtype == torch.float32 for value in losses.values())
    full = model.loss(inputs)
    assert torch.isclose(losses['loss_photometric'], full['loss_photometric'], rtol=0.05)


def test_channels_last_does_not_change_results():
    plain, other = build().eval(), build(channels_last=True).eval()
    assert other.decoder.decoder[0].conv.conv.weight.is_contiguous(
        memory_format=torch.channels_last
    )
    images = torch.rand(1, 3, *SIZE)
    assert torch.allclose(plain.disparity(images), other.disparity(images), atol=1e-4)


def test_tie_break_depends_on_the_seed():
    model, inputs = build(tie_break=1e-2), make_inputs()
    found = [
        model.loss(inputs)['loss_photometric'] for seed in (1, 1, 2) if torch.manual_seed(seed)
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize('changes', [dict(sources=()), dict(sources=(0, 1))])
def test_invalid_sources(changes):
    with pytest.raises(ValueError, match='expected sources'):
        build(**changes)


def test_missing_frames():
    with pytest.raises(KeyError, match='expected frames'):
        build().loss(make_inputs((1,)))
    inputs = make_inputs(('s',))
    del inputs['transforms']
    with pytest.raises(KeyError, match=r"transforms \['s'\], got.*transforms \[\]"):
        build(**STEREO).loss(inputs)


def test_stereo_has_no_relative_pose():
    with pytest.raises(RuntimeError, match='pose_net'):
        build(**STEREO).relative_pose(torch.rand(1, 3, 64, 96), torch.rand(1, 3, 64, 96))


def test_class_token_pose_net_needs_class_tokens():
    with pytest.raises(ValueError, match='class tokens'):
        build(pose_net=dict(type='ClassTokenPoseNet')).loss(make_inputs())


def test_strides_that_do_not_match_the_decoder():
    encoder = dict(TIMM, out_indices=(1, 2, 3, 4))
    decoder = dict(type='Monodepth2Decoder', scales=(0,))
    assert build(encoder=encoder, decoder=decoder).decoder.in_strides == [4, 8, 16, 32]
    with pytest.raises(ValueError, match=r'\[4, 8, 16, 32\] from TimmDepthEncoder; remove'):
        build(encoder=encoder, decoder=dict(decoder, in_strides=(2, 4, 8, 16)))
    with pytest.raises(ValueError, match='use DPTDecoder'):
        build(HYBRID, decoder=decoder)


@pytest.mark.parametrize('size', [(64, 96), (50, 131)])
def test_hybrid_takes_any_size(size):
    model, inputs = build(HYBRID), make_inputs(size=size)
    assert model.compare(inputs)[0].warped.shape[-2:] == size
    assert model.eval().disparity(inputs['images'][0]).shape == (2, 1, *size)


def test_unknown_mode():
    with pytest.raises(ValueError, match='mode'):
        build()(make_inputs(), mode='train')


def test_a_few_steps_reduce_the_loss():
    model, inputs = build(tie_break=0), make_inputs()
    scene = torch.nn.functional.avg_pool2d(torch.rand(2, 3, 64, 108), 7, stride=1, padding=3)
    inputs['images'] = {i: scene[..., 6 + i : 102 + i] for i in (0, -1, 1)}
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    for _ in range(12):
        loss = sum(v for k, v in model.loss(inputs).items() if 'loss' in k)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert history[-1] < 0.5 * history[0]


def test_copy_and_state_dict():
    model = build()
    other = build()
    other.load_state_dict(copy.deepcopy(model).state_dict())
    assert isinstance(model.data_preprocessor, DepthDataPreprocessor)


@torch.no_grad()
def test_depth_is_proportional_to_the_focal_length():
    model = MODELS.build(dict(CONV, canonical_focal=60.0)).eval()
    inputs = make_inputs(batch=1)
    once = model.compare(inputs)[0]
    inputs['cam2img'][:, 0, 0] *= 2
    twice = model.compare(inputs)[0]
    torch.testing.assert_close(twice.depth, 2 * once.depth)
    frames, cameras = inputs['images'], inputs['cam2img']
    predicted = model.predict(frames, cameras).to('relative').values
    torch.testing.assert_close(predicted, twice.depth)
    (sample,) = model(dict(images=frames, cam2img=cameras), mode='predict')
    torch.testing.assert_close(1 / sample.pred_disparity, twice.depth[0])
    torch.testing.assert_close(model.predict(frames).to('relative').values, once.depth)
    plain = MODELS.build(CONV).eval()
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(plain.compare(inputs)[0].depth, once.depth)
    assert torch.equal(plain.predict(frames, cameras).values, plain.predict(frames).values)
