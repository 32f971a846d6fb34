import pytest
import torch
from mmengine.registry import MODELS
from torch.distributions import Normal, kl_divergence

from hybrid_depth.depth.encoders import DepthEncoder
from hybrid_depth.errors import MissingInputError
from hybrid_depth.losses import SILogLoss
from tests.depth.encoders.tiny import TINY_HYBRID
from tests.depth.estimators.tiny import SIZE, TIMM, make_inputs

DECODER = dict(type='LatentDepthDecoder', widths=(12, 8, 6), latent=5)
BASE = dict(type='WorDepth', encoder=TIMM, decoder=DECODER, text_width=16)


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build({**BASE, **kwargs})


def inputs_of(batch=2, size=SIZE):
    depth = torch.rand(batch, 1, *size) * 60 + 1
    text = torch.randn(batch, 16)
    return dict(make_inputs((), size, batch), gt_depth=depth, text=text)


def grads(model):
    """Names of the top modules whose parameters have a gradient that is not zero."""
    return {
        name.split('.')[0]
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.abs().max() > 0
    }


def backward(model, inputs):
    losses = model.loss(inputs)
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    return losses


@pytest.mark.parametrize(
    ('probability', 'kwargs', 'trained'),
    [
        (0, {}, {'encoder', 'decoder', 'sampler', 'metric_head'}),
        (0, dict(detach_text=False), {'encoder', 'decoder', 'sampler', 'metric_head', 'text_vae'}),
        (0, dict(skips='none'), {'encoder', 'decoder', 'sampler', 'metric_head'}),
        (1, {}, {'decoder', 'text_vae'}),
        (1, dict(skips='none'), {'decoder', 'text_vae'}),
        (1, dict(skips='all'), {'encoder', 'decoder', 'text_vae'}),
    ],
)
def test_what_a_branch_trains(probability, kwargs, trained):
    model = build(text_probability=probability, **kwargs)
    losses = backward(model, inputs_of())
    assert grads(model) == trained and losses['text_branch'] == probability


def test_skips_of_the_image_branch():
    """Without skips the image reaches the depth only through the latent and the metric head."""
    for skips, same in (('none', True), ('image', False), ('all', False)):
        model, inputs = build(skips=skips).eval(), inputs_of()
        with torch.no_grad():
            model.sampler.post.weight.zero_(), model.sampler.post.bias.zero_()
            for p in model.metric_head.parameters():
                p.zero_()
            first = model.predict(inputs['images'], text=inputs['text']).values
            images = {0: inputs['images'][0].flip(-1)}
            second = model.predict(images, text=inputs['text']).values
        assert torch.allclose(first, second) == same, skips


def test_the_image_branch_by_hand():
    """latent = mean + std * deviation; divergence of the cells' statistics."""
    model, inputs = build(text_probability=0), inputs_of()
    losses = model.loss(inputs)
    maps = model.encode(inputs['images'][0]).maps[-4:]
    mean, std = model.text_vae(inputs['text'])
    trunk = model.decoder.trunk(maps)
    deviation = model.sampler(trunk, mean, std)
    latent = torch.stack([m[:, None, None] + s[:, None, None] * d
                          for m, s, d in zip(mean, std, deviation, strict=True)])  # fmt: skip
    depth = model.metric_head(model.decoder(latent, trunk, maps[:2], SIZE), maps[-1])
    expected = SILogLoss(max_depth=80.0)(depth, inputs['gt_depth'])
    assert torch.allclose(losses['loss_silog'], expected, rtol=1e-4)
    cells = torch.cat([d.flatten(1) for d in deviation], dim=1)
    divergence = kl_divergence(Normal(cells.mean(1), cells.std(1)), Normal(0.0, 1.0)).sum()
    assert torch.allclose(losses['loss_divergence'], 1e-3 * divergence, rtol=1e-3)


def test_the_text_branch_by_hand():
    model, inputs = build(text_probability=1), inputs_of()
    torch.manual_seed(3)
    losses = model.loss(inputs)
    torch.manual_seed(3)
    torch.rand(())  # which branch
    noise = torch.randn(2, 5, 4, 6)
    mean, std = model.text_vae(inputs['text'])
    latent = mean[..., None, None] + std[..., None, None] * noise
    finer = [torch.zeros(2, c, h, w) for c, (h, w) in
             zip(model.decoder.channels[:2], [(16, 24), (8, 12)], strict=True)]  # fmt: skip
    depth = model.decoder(latent, torch.zeros(2, 12, 4, 6), finer, SIZE)
    expected = SILogLoss(max_depth=80.0)(depth, inputs['gt_depth'])
    assert torch.allclose(losses['loss_silog'], expected, rtol=1e-4)
    divergence = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(1).mean()
    assert torch.allclose(losses['loss_divergence'], 1e-3 * divergence, rtol=1e-3)


@pytest.mark.parametrize('size', [(64, 96), (52, 83)])
def test_the_text_branch_has_the_maps_of_the_encoder(size):
    """It does not run the encoder, so sizes come from the strides."""
    model, images = build(), torch.rand(1, 3, *size)
    trunk, *coarser = model._zeros(images)
    maps = model.maps(images, None)
    assert trunk.shape == model.decoder.trunk(maps).shape
    assert [m.shape for m in coarser[::-1]] == [m.shape for m in maps[:-2]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.encoder, 'forward', None)
        model._text_branch(images, None, torch.randn(1, 16))


def test_the_share_of_text_branches():
    model, inputs = build(text_probability=0.25), inputs_of(1, (32, 32))
    model._image_branch = model._text_branch = lambda images, view, text: (
        images[:, :1] + 1,
        images.sum(),
    )
    steps = [model.loss(inputs)['text_branch'].item() for _ in range(400)]
    assert 0.15 < sum(steps) / len(steps) < 0.35


def test_prediction_is_metric_and_uses_the_text():
    model, inputs = build().eval(), inputs_of()
    with torch.no_grad():
        found = model.predictions(inputs)['']
        other = model.predict(inputs['images'], text=-inputs['text'])
        without = model.predict(inputs['images'])
    assert found.kind == 'metric' and found.values.shape == (2, 1, *SIZE)
    assert not torch.allclose(found.values, other.values)
    assert torch.isfinite(without.values).all() and not torch.equal(without.values, found.values)
    (sample, _) = model(inputs, None, 'predict')
    assert torch.equal(sample.pred_depth, found.values[0]) and sample.kind == 'metric'


def test_without_text_the_latent_is_the_deviation():
    model, inputs = build(text_width=None, text_probability=0), inputs_of()
    del inputs['text']
    latents = []
    model.decoder.register_forward_pre_hook(lambda module, args: latents.append(args[0]))
    deviations = []
    model.sampler.register_forward_hook(lambda module, args, out: deviations.append(out))
    backward(model, inputs)
    assert torch.equal(latents[0], deviations[0]) and model.text_vae is None


@pytest.mark.parametrize('encoder', [TIMM, TINY_HYBRID, dict(type='ResNetDepthEncoder', depth=18)])
def test_any_encoder(encoder):
    model = build(encoder=encoder, text_probability=0)
    assert isinstance(model.encoder, DepthEncoder)
    backward(model, inputs_of())
    assert {'encoder', 'decoder'} <= grads(model)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(text_probability=1.5), 'in .0, 1.'),
        (dict(text_probability=-0.1), 'in .0, 1.'),
        (dict(text_width=None), 'and 0 without text'),
        (dict(skips='text'), 'skips'),
        (dict(decoder=dict(DECODER, widths=(8,) * 5)), 'at least 6 maps'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)


@pytest.mark.parametrize(
    ('missing', 'message'), [('gt_depth', 'LoadDepthMaps'), ('text', 'LoadText')]
)
def test_missing_inputs_of_training(missing, message):
    inputs = inputs_of()
    del inputs[missing]
    with pytest.raises(MissingInputError, match=message):
        build().loss(inputs)


def test_the_current_frame_is_needed():
    with pytest.raises(MissingInputError, match='frames.0.'):
        build().predict({1: torch.rand(1, 3, 32, 32)})
