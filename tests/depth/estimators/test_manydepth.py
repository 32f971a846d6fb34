"""ManyDepth on small encoders; parity is in test_manydepth_golden*.py."""

import warnings
from dataclasses import replace

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.geometry.cost_volume import CostVolume
from hybrid_depth.geometry.rigid import invert_rigid
from tests.depth.encoders.tiny import TINY_DINO, TINY_HYBRID
from tests.depth.estimators import tiny
from tests.depth.estimators.tiny import CONV_DECODER, DPT, SIZE, TIMM

TEACHER = dict(
    type='Monodepth2',
    encoder=TIMM,
    decoder=CONV_DECODER,
    pose_net=dict(type='ResNetPoseNet'),
    masked_mean=True,
)
TINY = dict(
    type='ManyDepth',
    encoder=TIMM,
    decoder=CONV_DECODER,
    teacher=TEACHER,
    cost_volume=dict(num_bins=8, depth_range=(0.5, 5.0)),
)
CONVNEXT = dict(type='TimmDepthEncoder', name='test_convnext')
RESNET = dict(type='ResNetDepthEncoder')
ENCODERS = [
    pytest.param(TIMM, CONV_DECODER, id='timm-resnet'),
    pytest.param(CONVNEXT, dict(type='Monodepth2Decoder', scales=(0,)), id='timm-convnext'),
    pytest.param(RESNET, CONV_DECODER, id='resnet'),
    pytest.param(TINY_HYBRID, DPT, id='hybrid'),
    pytest.param(dict(TINY_HYBRID, dino=None), DPT | dict(channels=8), id='clip'),
]


def build(base=TINY, **changes):
    torch.manual_seed(0)
    return MODELS.build({**base, **changes})


def make_inputs(ids=(-1, 1), **kwargs):
    torch.manual_seed(1)
    return tiny.make_inputs(ids, **kwargs)


@pytest.mark.parametrize(('encoder', 'decoder'), ENCODERS[:4])
def test_any_encoder_is_matched(encoder, decoder):
    """The lookup frame changes the maps behind the matched one, and no map before."""
    model = build(encoder=encoder, decoder=decoder).eval()
    inputs = make_inputs()
    target, other = inputs['images'][0], inputs['images'][-1]
    pose = torch.eye(4).repeat(2, 1, 1, 1)
    pose[..., 0, 3] = 0.05
    with torch.no_grad():
        features, volume = model._encode_matched(target, other[:, None], inputs['cam2img'], pose)
        alone = model._encode_matched(target, *model._no_lookups(target))[0]
        plain = model.encoder(target)
    assert volume.costs.shape[1] == 8 and volume.confidence.any()
    assert [m.shape for m in features.maps] == [m.shape for m in plain.maps]
    changed = [not torch.allclose(a, b) for a, b in zip(features.maps, alone.maps, strict=True)]
    first = model.matched + 1
    assert changed == [False] * first + [True] * (len(changed) - first)
    assert model.decoder(features, SIZE)[0].shape == (2, 1, *SIZE)


@pytest.mark.parametrize(('encoder', 'decoder'), ENCODERS[:1] + ENCODERS[3:4])
def test_every_parameter_of_both_models_learns(encoder, decoder):
    model = build(encoder=encoder, decoder=decoder, augmentation=False, motion_mask=False)
    if decoder is DPT:
        torch.nn.init.constant_(model.decoder.head[-1].bias, 0.5)
    loss, log = model.parse_losses(model(make_inputs(), mode='loss'))
    loss.backward()
    assert {n for n, p in model.named_parameters() if p.grad is None} == set()
    parts = {key for key in log if 'loss_' in key}
    assert parts == {
        'loss_photometric',
        'loss_smoothness',
        'loss_consistency',
        'teacher_loss_photometric',
        'teacher_loss_smoothness',
    }
    torch.testing.assert_close(loss, sum(log[key] for key in parts))


def test_the_student_gives_its_teacher_no_gradient():
    model = build(augmentation=False)
    terms = model.compare(make_inputs())
    losses = model.objective.loss(terms.student, model.trusted(terms))
    consistency = model.consistency(terms, 0, torch.zeros_like(terms.consistent))
    (losses['loss_photometric'] + consistency).backward()
    assert all(p.grad is None for p in model.teacher.parameters())
    assert not terms.volume.costs.requires_grad and not terms.poses.requires_grad


def test_a_frozen_teacher_runs_without_gradient_and_stays_in_eval_mode():
    model = build()
    model.freeze_teacher()
    model.train()
    assert not model.teacher.training and model.encoder.training
    losses = model.loss(make_inputs())
    assert not any(name.startswith('teacher') for name in losses)
    assert torch.equal(model.matching.depth_range, build().matching.depth_range)


def test_augmentation(monkeypatch):
    """Item 0 stands still, item 1 has no frame before, item 2 keeps it."""
    model, inputs = build(motion_mask=False), make_inputs(batch=3)
    inputs['augmented'] = {i: 0.5 * image for i, image in inputs['images'].items()}
    monkeypatch.setattr(model, 'draw', lambda count: torch.tensor([0.1, 0.3, 0.9]))
    seen, decode = [], model._decode_matched
    monkeypatch.setattr(model, '_decode_matched', lambda *args: seen.append(args) or decode(*args))
    terms = model.compare(inputs)
    ((target, lookups, _, poses, _),) = seen
    assert torch.equal(target, inputs['augmented'][0])
    assert torch.equal(lookups[0, 0], inputs['images'][0][0])
    assert torch.equal(lookups[1:, 0], inputs['augmented'][-1][1:])
    assert (poses[1] == 0).all() and (poses[[0, 2], :, 3, 3] == 1).all()
    assert terms.augmented.tolist() == [True, True, False]
    assert not model.trusted(terms)[:2].any() and model.trusted(terms)[2].all()
    model.eval()
    assert not model.compare(inputs).augmented.any()


def test_draws_are_uniform():
    torch.manual_seed(0)
    draws = build().draw(2000)
    assert draws.shape == (2000,) and abs((draws < 0.25).float().mean() - 0.25) < 0.03


def test_poses_of_several_frames_are_chained():
    model = build(lookups=(-1, -2, 1)).eval()
    frames = make_inputs((-1, -2, 1))['images']
    with torch.no_grad():
        poses = model._poses(frames, {}, model.lookups)
        one, two = (invert_rigid(model.relative_pose(frames[i], frames[i + 1])) for i in (-1, -2))
        ahead = model.relative_pose(frames[0], frames[1])
    torch.testing.assert_close(poses, torch.stack([one, two @ one, ahead], 1))
    frames[-1] = frames[-1].clone()
    frames[-1][1] = 0
    poses = model._poses(frames, {}, model.lookups)
    assert (poses[1, :2] == 0).all() and (poses[0] != 0).flatten(1).any(1).all()


def test_poses_of_later_frames_are_chained():
    model = build(lookups=(1, 2)).eval()
    frames = make_inputs((1, 2))['images']
    steps = [model.relative_pose(frames[i], frames[i + 1]) for i in (0, 1)]
    found = model._poses(frames, {}, model.lookups)
    torch.testing.assert_close(found[:, 0], steps[0])
    torch.testing.assert_close(found[:, 1], steps[1] @ steps[0])


def test_inconsistent_pixels_learn_from_the_teacher_and_the_others_from_images():
    model, inputs = build(augmentation=False), make_inputs()
    terms = model.compare(inputs)
    half = torch.zeros_like(terms.consistent)
    half[:, : half.shape[1] // 2] = True
    for consistent in (half, ~half):
        terms = replace(terms, consistent=consistent)
        mask = model.trusted(terms)
        assert torch.equal(mask, consistent)
        distance = (terms.student[0].depth - terms.teacher[0].depth).abs().squeeze(1)
        expected = distance[~consistent].sum() / distance.numel()
        torch.testing.assert_close(model.consistency(terms, 0, mask), expected)
    changed = replace(terms, augmented=torch.tensor([True, False]))
    assert not model.trusted(changed)[0].any() and model.trusted(changed)[1].any()


@pytest.mark.parametrize('count', [0, 1])
def test_pixels_that_were_not_compared_at_every_bin_are_inconsistent(count):
    model, reference = build(), torch.full((1, 1, 4, 6), 2.0)
    costs = torch.tensor([0.5, 0.1, 0.4]).view(1, 3, 1, 1).expand(1, 3, 4, 6)
    missing = torch.zeros(1, 3, 4, 6, dtype=torch.bool)
    missing[:, :count, 0] = True
    volume = CostVolume(costs, missing, torch.tensor([1.0, 2.0, 3.0]))
    found = model._consistent(volume, reference)
    assert found[0, 1:].all() and found[0, 0].all() == (count == 0)
    assert not model._consistent(volume, 2 * reference).any()


def test_motion_from_the_data():
    teacher = dict(TEACHER, pose_net=None)
    model, inputs = build(teacher=teacher).eval(), make_inputs()
    forward = torch.eye(4).repeat(2, 1, 1)
    forward[:, 2, 3] = 0.2
    inputs['transforms'] = {-1: forward, 1: invert_rigid(forward)}
    assert torch.equal(model.compare(inputs).poses[:, 0], forward)
    frames, cameras = inputs['images'], inputs['cam2img']
    with torch.no_grad():
        known = model.predict(frames, cameras, transforms={-1: forward})
        (sample, _) = model(inputs, mode='predict')  # as a test does
    torch.testing.assert_close(sample.pred_disparity, known.values[0])
    with pytest.raises(KeyError, match='expected the motion to frame -1'):
        model.predict(frames, cameras)


@torch.no_grad()
def test_prediction_with_and_without_frames_before():
    model = build(lookups=(-1, -2)).eval()
    inputs = make_inputs((-1, -2))
    frames, cameras = inputs['images'], inputs['cam2img']
    both = model.predict(frames, cameras)
    assert both.kind == 'disparity' and both.values.shape == (2, 1, *SIZE)
    one = model.predict({i: frames[i] for i in (0, -1)}, cameras)
    with pytest.warns(UserWarning, match='single-frame mode'):
        single = model.predict({0: frames[0]})
    with pytest.warns(UserWarning, match='single-frame mode'):  # -2 is of no use without -1
        without_neighbour = model.predict({i: frames[i] for i in (0, -2)}, cameras)
    black = model.predict({**frames, -1: 0 * frames[-1], -2: 0 * frames[-2]}, cameras)
    for other in (without_neighbour, black):
        torch.testing.assert_close(other.values, single.values)
    assert not torch.allclose(both.values, one.values)
    assert not torch.allclose(one.values, single.values)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        (sample, _) = model(inputs, mode='predict')
    torch.testing.assert_close(sample.pred_disparity, both.values[0])
    torch.testing.assert_close(sample.pred_disparity_single_frame, single.values[0])
    assert model.frames == (0, -1, -2)


def test_the_range_follows_the_teacher_and_is_saved():
    model = build()
    near, far = model.matching.depth_range.tolist()
    depth = 1 / model.teacher.disparity(make_inputs()['images'][0])
    model.matching.track(depth, 0.1)
    expected = max(0.1, depth.flatten(1).amin(1).mean().item() * 0.9)
    assert model.matching.depth_range[0].item() == pytest.approx(0.99 * near + 0.01 * expected)
    assert model.matching.depth_range[1].item() != far
    other = build()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.matching.depth_range, model.matching.depth_range)


def test_unused_convolution_is_off():
    assert not any('prematching' in name for name in build().state_dict())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(lookups=(-2,)), 'each a neighbour'),
        (dict(lookups=(-1, -1)), 'each a neighbour'),
        (dict(stride=32), 'stride of a map before the last'),
        (dict(teacher=dict(TEACHER, masked_mean=False)), 'masked_mean=True'),
        (dict(teacher=dict(TEACHER, pose_net=dict(type='PoseCNN'))), 'no PoseCNN'),
        (dict(teacher=dict(TEACHER, canonical_focal=60.0)), 'without canonical_focal'),
        (dict(teacher=dict(TEACHER, physics_weight=0.1)), 'and physics_weight'),
        (dict(decoder=dict(CONV_DECODER, scales=(0, 2))), r'got \[2\] beside them'),
        (dict(cost_volume=dict(depth_range=(5.0, 1.0))), '0 < near < far'),
    ],
)
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_encoders_that_are_no_chain():
    no_clip = dict(type='HybridDepthEncoder', clip=None, dino=TINY_DINO)
    with pytest.raises(TypeError, match='HybridDepthEncoder: expected an encoder with a chain'):
        build(encoder=no_clip, decoder=DPT)


def test_bad_frames():
    model, inputs = build(), make_inputs()
    frames, cameras = inputs['images'], inputs['cam2img']
    with pytest.raises(ValueError, match=r'one size, got .*\(2, 3, 64, 95\)'):
        model.predict({0: frames[0], -1: frames[-1][..., 1:]}, cameras)
    with pytest.raises(KeyError, match='expected intrinsics'):
        model.predict(frames)
    del inputs['images'][-1]
    with pytest.raises(KeyError, match=r"frame_ids to the model's lookups"):
        model.loss(inputs)
    with pytest.raises(KeyError, match='expected the current frame'):
        model.predict({-1: frames[1]}, cameras)


def test_a_pose_of_nan():
    model, inputs = build().eval(), make_inputs()
    model.teacher.pose_net.decoder.net[-1].bias.data.fill_(torch.nan)
    with pytest.raises(ValueError, match='expected finite transforms'):
        model.predict(inputs['images'], inputs['cam2img'])
