"""Training steps of the official Mono-ViFI (docs/reference/golden.md, "Mono-ViFI")."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch.nn.utils import parameters_to_vector

from hybrid_depth.depth.estimators.mono_vifi import masked_photometric
from hybrid_depth.geometry.rigid import invert_rigid
from tests.depth.estimators.mono_vifi_model import (
    affine_view,
    build,
    gradient_norm,
    make_inputs,
    official_modules,
)
from tests.golden.mono_vifi import meta, sizes
from tests.golden.reader import Golden

TRAIN, VARIANTS = Golden('mono_vifi_train'), Golden('mono_vifi_variants')
SIZE, SMALL = sizes(TRAIN)
LIMIT, TRAIN_LIMIT, GRADIENT_NORM_LIMIT, CELLS = 1e-4, 1e-3, 5e-3, 5e-3
OPTIONS = dict(
    base={},
    no_affine={},
    separate_all=dict(sharing='none'),
    shared_all=dict(sharing='all'),
    no_automask=dict(automask=False),
    avg_reprojection=dict(average=True),
    no_ssim=dict(ssim_weight=0.0),
    DHRNet=dict(backbone='DHRNet'),
    LiteMono=dict(backbone='LiteMono'),
)
QUICK = ('no_affine',)
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OPTIONS]
STEPPED, CLASSIFIER = ('encoder', 'depth', 'fusion_module', 'pose'), 513000
STEP_LIMIT = 5e-3  # as the norms: AdamW divides the gradients by their size
SINGLE, MULTI = (0, 0.5, -0.5), (0, -0.5, 0.5)
PAIRS = ((-1, 0), (0, 1), (-1, -0.5), (-0.5, 1), (-1, 0.5), (0.5, 1))


def step(model, inputs):
    """Terms of one step, and its sum."""
    terms = model.compare(inputs)
    model.compare = lambda _: terms
    total = model.parse_losses(model(inputs, mode='loss'))[0]
    del model.compare
    return terms, total


def in_order(terms):
    """Terms in the order of the files."""
    found = [terms.single[time] for time in SINGLE] + [terms.multi[time] for time in MULTI]
    return found + [terms.affine[time] for time in MULTI if terms.affine]


def check_losses(golden, name, model, terms, total, view):
    found, weight = in_order(terms), model.objective.smoothness_weight
    base = [model.objective.photometric(x) for x in found[:6]]
    base += [masked_photometric(x, view) for x in found[6:]]
    base = torch.stack(base) + weight * torch.stack([x.smoothness for x in found])
    golden.check(f'{name}.base', base, LIMIT)
    golden.check(f'{name}.loss_base', base.sum(), LIMIT)
    parts = [terms.agreement[time].mean().view(1) for time in MULTI]
    parts += [terms.affine_agreement[time].flatten() for time in MULTI if terms.affine]
    golden.check(f'{name}.dc', torch.cat(parts), LIMIT)
    weighted = (total - base.sum()) / model.consistency_weight
    golden.check(f'{name}.loss_dc', weighted, LIMIT)
    golden.check(f'{name}.loss', total, LIMIT)


def check_gradients(golden, name, model, total):
    total.backward()
    for part, module in official_modules(model).items():
        if f'{name}.gradnorm.{part}' in golden:
            golden.check(f'{name}.gradnorm.{part}', gradient_norm(module), GRADIENT_NORM_LIMIT)


def test_affine_views():
    view, inputs = affine_view(TRAIN, SIZE), make_inputs(TRAIN, 'frames', SIZE)
    for i, image in inputs['images'].items():
        TRAIN.check(f'affine.color.{i}', view.apply(image), LIMIT)


def test_training_step():
    model, inputs = build(), make_inputs(TRAIN, 'frames', SIZE)
    terms, total = step(model, inputs)
    for time, name in ((-0.5, 'nt'), (0.5, 'pt')):
        TRAIN.check(f'ResNet18.img_{name}', terms.between[time].image, LIMIT)
    TRAIN.check('ResNet18.flow_0_n1', terms.between[0].flow_first, TRAIN_LIMIT)
    TRAIN.check('ResNet18.flow_0_p1', terms.between[0].flow_second, TRAIN_LIMIT)
    TRAIN.check('ResNet18.merge_mask_01', terms.between[0].mask, TRAIN_LIMIT)
    poses = [torch.stack([terms.poses[p], invert_rigid(terms.poses[p])], 1) for p in PAIRS]
    TRAIN.check('ResNet18.poses', torch.stack(poses, 1), TRAIN_LIMIT)
    for i, found in enumerate(in_order(terms)):
        TRAIN.check(f'ResNet18.disp.{i}', found.output, TRAIN_LIMIT)
    share = torch.stack([x.warped_wins.double().mean() for x in in_order(terms)])
    TRAIN.check('ResNet18.automask_mean', share, CELLS, scale=1)
    check_losses(TRAIN, 'ResNet18', model, terms, total, affine_view(TRAIN, SIZE))
    check_gradients(TRAIN, 'ResNet18', model, total)


@pytest.mark.parametrize('name', CASES)
def test_variants(name):
    model, affine = build(**OPTIONS[name]), name != 'no_affine'
    golden = TRAIN if name == 'LiteMono' else VARIANTS  # Lite-Mono's step is of the usual size
    size = SIZE if name == 'LiteMono' else SMALL
    inputs = make_inputs(golden, 'small', size, affine)
    terms, total = step(model, inputs)
    check_losses(VARIANTS, name, model, terms, total, affine_view(golden, size))
    check_gradients(VARIANTS, name, model, total)


def test_affine_views_of_the_variants():
    view, inputs = affine_view(VARIANTS, SMALL), make_inputs(VARIANTS, 'small', SMALL)
    for i, image in inputs['images'].items():
        VARIANTS.check(f'affine.color.{i}', view.apply(image), LIMIT)


def test_variants_are_those_of_the_file():
    assert set(meta(VARIANTS)['variants']) == set(OPTIONS)


@pytest.mark.slow
def test_repeated_parameters():
    """The release lists its shared encoder twice (docs/reference/mono_vifi.md, "Optimisation")."""
    model = build()
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='RepeatedParametersConstructor',
            optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.01),
            clip_grad=dict(max_norm=5),
            paramwise_cfg=dict(repeated=('encoder',)),
        ),
    )
    listed = [p for group in wrapper.param_groups for p in group['params']]
    # the official encoders, of which one is listed twice, have a classifier of two tensors each
    assert len(listed) + 6 == int(VARIANTS['step.listed'])
    assert len(set(listed)) + 4 == int(VARIANTS['step.distinct'])
    _, total = step(model, make_inputs(VARIANTS, 'small', SMALL))
    total.backward()
    norm = torch.stack([p.grad.double().norm() for p in listed]).norm()
    VARIANTS.check('step.norm_before_clip', norm, GRADIENT_NORM_LIMIT)
    modules = official_modules(model)
    before = {name: parameters_to_vector(modules[name].parameters()).detach() for name in STEPPED}
    wrapper.step()
    for name, old in before.items():
        clipped = gradient_norm(modules[name])
        VARIANTS.check(f'step.{name}.gradnorm_after_clip', clipped, GRADIENT_NORM_LIMIT)
        change = (parameters_to_vector(modules[name].parameters()).detach() - old).abs()
        unused = CLASSIFIER if name == 'encoder' else 0
        mean = change.double().sum() / (len(change) + unused)
        VARIANTS.check(f'step.{name}.mean_abs_change', mean, STEP_LIMIT)
