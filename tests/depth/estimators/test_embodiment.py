import pytest
import torch
from mmengine.registry import MODELS

from hybrid_depth.depth.latent import ExchangedAttention, embodied_image
from hybrid_depth.errors import DepthDataError
from tests.depth.estimators.test_wordepth import BASE, backward, grads, inputs_of
from tests.depth.estimators.tiny import SIZE, TIMM

PRIOR = dict(TIMM, mean='none', std='none')
VLE = dict(BASE, type='VisionLanguageEmbodiment', prior_encoder=PRIOR, attention_width=4)
SETTINGS = dict(
    no_prior=dict(prior_encoder=None, text_width=None, text_probability=0),
    prior=dict(fusion='concat', text_width=None, text_probability=0),
    fusion=dict(text_width=None, text_probability=0),
    text=dict(),
)


def build(**kwargs):
    torch.manual_seed(0)
    return MODELS.build({**VLE, **kwargs})


def vle_inputs(**kwargs):
    inputs = inputs_of(**kwargs)
    return dict(inputs, physics_depth=inputs['gt_depth'] * (torch.rand(2, 1, *SIZE) > 0.3))


@pytest.mark.parametrize('setting', SETTINGS)
def test_the_steps_of_the_ablation(setting):
    model = build(**{**SETTINGS[setting], 'text_probability': 0})
    backward(model, vle_inputs())
    prior = {'prior_encoder', 'fusions'} if setting != 'no_prior' else set()
    assert grads(model) == {'encoder', 'decoder', 'sampler', 'metric_head', *prior}
    attends = [isinstance(f, ExchangedAttention) for f in model.fusions or []]
    assert attends == dict(no_prior=[], prior=[False] * 4).get(setting, [False] * 3 + [True])
    assert (model.text_vae is not None) == (setting == 'text')


def test_without_prior_and_text_it_is_wordepth_without_text():
    vle, inputs = build(**SETTINGS['no_prior']).eval(), vle_inputs()
    torch.manual_seed(0)
    wordepth = MODELS.build(dict(BASE, text_width=None, text_probability=0)).eval()
    wordepth.load_state_dict(vle.state_dict())
    with torch.no_grad():
        first, second = (m.predictions(inputs)[''].values for m in (vle, wordepth))
    assert torch.equal(first, second)


def test_every_map_is_fused_with_the_prior():
    model, inputs = build().eval(), vle_inputs()
    with torch.no_grad():
        maps = model.maps(inputs['images'][0], model.view(inputs))
        plain = model.encode(inputs['images'][0]).maps[-4:]
        priors = model.prior_encoder(embodied_image(inputs['physics_depth'])).maps[-4:]
        for i, fuse in enumerate(model.fusions):
            if i == 3:
                expected = fuse(plain[i], priors[i])
            else:
                joined = torch.cat([plain[i], priors[i]], 1)
                expected = plain[i] + fuse.mix(joined)
            assert torch.allclose(maps[i], expected, atol=1e-5), i


def test_the_prior_changes_the_depth_and_may_be_invalid():
    model, inputs = build().eval(), vle_inputs()
    with torch.no_grad():
        first = model.predictions(inputs)[''].values
        inputs['physics_depth'] = torch.zeros_like(inputs['physics_depth'])
        second = model.predictions(inputs)[''].values
    assert torch.isfinite(second).all() and not torch.allclose(first, second)


def test_the_text_branch_needs_no_prior():
    model, inputs = build(text_probability=1), vle_inputs()
    del inputs['physics_depth']
    backward(model, inputs)
    assert grads(model) == {'decoder', 'text_vae'}


def test_missing_prior():
    inputs = inputs_of()
    for cameras in (None, inputs['cam2img']):
        with pytest.raises(DepthDataError, match='depth_folders'):
            build().predict(inputs['images'], cameras)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(fusion='sum'), "'concat', 'attention'"),
        (dict(prior_encoder=dict(PRIOR, out_indices=(3, 4))), 'at least 4 maps'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)
