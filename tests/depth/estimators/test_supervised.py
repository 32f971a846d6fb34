"""Depth supervised by measured or embodied maps."""

import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.estimators import SupervisedDepth
from tests.depth.estimators.tiny import CONV, CONV_DECODER, SIZE, TIMM, make_inputs


def build(**changes) -> SupervisedDepth:
    torch.manual_seed(0)
    cfg = dict(type='SupervisedDepth', encoder=TIMM, decoder=CONV_DECODER)
    return MODELS.build({**cfg, **changes})


def inputs_with_truth() -> dict:
    """Ground from 4 to 20 m in the lower half, nothing above."""
    torch.manual_seed(0)
    inputs = make_inputs()
    depth = torch.linspace(20, 4, SIZE[0] // 2)[None, None, :, None].expand(2, 1, -1, SIZE[1])
    inputs['gt_depth'] = torch.cat([torch.zeros_like(depth), depth], 2)
    return inputs


def test_some_steps_learn_metres():
    """From an initial depth of 4.8 m to a median ratio near 1, in metres and without scaling."""
    model, inputs = build(decoder=dict(CONV_DECODER, start=0.02)), inputs_with_truth()
    inputs['gt_depth'] *= 2
    known = inputs['gt_depth'] > 0

    def ratio() -> float:
        prediction = model.predict(inputs['images'])
        assert prediction.kind == 'metric'
        return (prediction.values[known] / inputs['gt_depth'][known]).median().item()

    assert ratio() < 0.4
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(25):
        losses = model(inputs, mode='loss')
        optimiser.zero_grad()
        model.parse_losses(losses)[0].backward()
        optimiser.step()
    assert losses['known_share'] == pytest.approx(0.5)
    assert 0.7 < ratio() < 1.4


def test_pixels_without_depth_do_not_count():
    model, inputs = build(smoothness_weight=0.0), inputs_with_truth()
    loss = model(inputs, mode='loss')['loss_depth']
    depth = 1 / model.disparity(inputs['images'][0])
    known = inputs['gt_depth'] > 0
    coarse = 1 / model.resized_disparity(model.decode(inputs['images'][0])[1], SIZE)
    expected = [
        (d[known].log() - inputs['gt_depth'][known].log()).abs().mean() for d in (depth, coarse)
    ]
    torch.testing.assert_close(loss, torch.stack(expected).mean())
    inputs['gt_depth'].zero_()
    losses = model(inputs, mode='loss')
    assert losses['loss_depth'] == 0 and losses['known_share'] == 0


def test_weights_fit_monodepth2():
    """The second step starts from the first: all its tensors have a place."""
    second = MODELS.build(CONV)
    missing, unexpected = second.load_state_dict(build().state_dict(), strict=False)
    assert not unexpected and all(name.startswith('pose_net.') for name in missing)


def test_missing_maps_and_other_sizes_are_errors():
    inputs = inputs_with_truth()
    with pytest.raises(KeyError, match='physics_depth .*depth_folders=dict.physics_depth'):
        build(target='physics_depth')(inputs, mode='loss')
    inputs['gt_depth'] = inputs['gt_depth'][..., 1:]
    with pytest.raises(ValueError, match='of the size of the images'):
        build()(inputs, mode='loss')


def test_second_step_holds_the_metres():
    """The photometric loss and, times its weight, the mean log distance to embodied depth of every
    scale; flat pixels without depth do not count."""
    torch.manual_seed(0)
    model, inputs = MODELS.build(dict(CONV, physics_weight=0.5)), inputs_with_truth()
    inputs['physics_depth'] = inputs.pop('gt_depth')
    losses = model(inputs, mode='loss')
    plain = MODELS.build(CONV)
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(
        losses['loss_photometric'], plain(inputs, mode='loss')['loss_photometric']
    )
    known = inputs['physics_depth'] > 0
    with torch.no_grad():
        errors = [
            (found.depth[known].log() - inputs['physics_depth'][known].log()).abs().mean()
            for found in model.estimate(inputs).values()
        ]
    torch.testing.assert_close(losses['loss_physics'], 0.5 * torch.stack(errors).mean())
    with pytest.raises(KeyError, match='physics_depth .*physics_weight=0'):
        model({k: v for k, v in inputs.items() if k != 'physics_depth'}, mode='loss')
