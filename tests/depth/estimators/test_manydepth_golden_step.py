"""Training steps of the official ManyDepth (docs/reference/golden.md, "ManyDepth")."""

import pytest
import torch
import torch.nn.functional as F

from tests.depth.estimators.manydepth_model import (
    build,
    gradient_norm,
    make_inputs,
    official_modules,
    with_draws,
)
from tests.depth.estimators.test_manydepth_golden import CELLS, LIMIT, check_cells
from tests.golden.manydepth import meta
from tests.golden.reader import Golden

TRAIN, VARIANTS = Golden('manydepth_train'), Golden('manydepth_variants')
SIZE, SMALL = (tuple(meta(TRAIN)[key]) for key in ('size', 'small'))
GRADIENT_NORM_LIMIT, GRADIENT_LIMIT = 5e-3, 2e-2

# Changes of the model, and of its teacher, by the variants' names.
OPTIONS = dict(
    base=({}, {}),
    no_augmentation=(dict(augmentation=False), {}),
    no_motion_masking=(dict(motion_mask=False), {}),
    no_automask=({}, dict(automask=False)),
    avg_reprojection=({}, dict(average=True)),
    two_back=(dict(lookups=(-1, -2)), {}),
    future=(dict(lookups=(-1, 1)), {}),
    inverse=(dict(cost_volume=dict(spacing='inverse')), {}),
    frozen=({}, {}),
    missing_frame=(dict(augmentation=False), {}),
    eval=({}, {}),
)
QUICK = ('two_back', 'missing_frame')
CASES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OPTIONS]
NEEDED = dict(two_back=(0, -1, 1, -2))


def step(model, inputs):
    """Terms and losses of one step, and its sum."""
    terms = model.compare(inputs)
    model.compare = lambda _: terms
    losses = model(inputs, mode='loss')
    return terms, losses, model.parse_losses(losses)[0]


def check_losses(golden, name, model, inputs, terms, losses, total):
    """Losses of both models by scale, and their sums."""
    mask = model.trusted(terms)
    parts = {'teacher': {}, 'multi': {}}
    weight = model.objective.smoothness_weight
    for scale, found in terms.student.items():
        photometric = model.objective.photometric(found, mask)
        consistency = model.consistency(terms, scale, mask)
        smoothness = weight / 2**scale * found.smoothness
        parts['multi'].setdefault('reproj_loss', []).append(photometric)
        parts['multi'].setdefault('consistency_loss', []).append(consistency)
        parts['multi'].setdefault('loss', []).append(photometric + consistency + smoothness)
    objective = model.teacher.objective
    for scale, found in model.teacher.score(terms.teacher, terms.views).items():
        photometric = objective.photometric(found)
        parts['teacher'].setdefault('reproj_loss', []).append(photometric)
        loss = photometric + weight / 2**scale * found.smoothness
        parts['teacher'].setdefault('loss', []).append(loss)
    for who, kinds in parts.items():
        for kind, values in kinds.items():
            golden.check(f'{name}.{who}.{kind}', torch.stack(values), LIMIT)
        golden.check(f'{name}.{who}.total', torch.stack(kinds['loss']).mean(), LIMIT)
    golden.check(f'{name}.total', total, LIMIT)
    sums = sum(losses[f'loss_{part}'] for part in ('photometric', 'consistency', 'smoothness'))
    golden.check(f'{name}.multi.total', sums, LIMIT)


def check_masks(golden, name, model, terms):
    """What was replaced, what is consistent, and the range of the next step."""
    golden.check(f'{name}.augmentation_mask', terms.augmented.view(-1, 1, 1, 1).float(), 0)
    consistent = terms.consistent
    if not model.motion_mask:  # the official code leaves out the comparison of depths there
        confidence = terms.volume.confidence.unsqueeze(1).float()
        consistent = F.interpolate(confidence, consistent.shape[-2:])
    share = consistent.float().flatten(1).mean(1)
    golden.check(f'{name}.consistency_mask_mean', share, CELLS, scale=1)
    golden.check_each(f'{name}.trackers', model.matching.depth_range, 1e-6)


def check_maps(golden, name, terms, model):
    """Outputs, poses, masks and what the multi-frame model is drawn to, where they are stored."""
    mask = model.trusted(terms)
    for scale in (0, 3):
        student, teacher = terms.student[scale], terms.teacher[scale]
        golden.check(f'{name}.disp{scale}', student.output, LIMIT)
        golden.check(f'{name}.mono_disp{scale}', teacher.output, LIMIT)
        target = torch.where(mask.unsqueeze(1), student.depth, teacher.depth)
        check_cells(golden, f'{name}.consistency_target{scale}', 1 / target)
    for source, transform in zip(('-1', '+1'), terms.teacher[0].transforms, strict=True):
        golden.check(f'{name}.cam_T_cam{source}', transform, LIMIT)
    clear = model.draw(len(mask)) >= 0.5  # poses before they are taken away
    for i, lookup in enumerate(model.lookups):
        key = f'{name}.relative_pose{lookup:+d}'
        stored = golden[key]
        expected = torch.where(clear.view(-1, 1, 1), stored, terms.poses[:, i])
        torch.testing.assert_close(terms.poses[:, i], expected, rtol=0, atol=LIMIT)
    full = mask.shape[-2:]
    depth = F.interpolate(terms.volume.best_depth().unsqueeze(1), full)[:, 0, ::4, ::4]
    check_cells(golden, f'{name}.lowest_cost', 1 / depth)
    golden.check_share(f'{name}.consistency_mask', terms.consistent[:, ::4, ::4], CELLS)


def check_gradients(golden, name, model):
    modules = official_modules(model)
    for part, found in modules.items():
        golden.check(f'{name}.gradnorm.{part}', gradient_norm(found), GRADIENT_NORM_LIMIT)
    if f'{name}.grad_is_none' not in golden:
        return
    parameters = {
        'reduce_conv.0.weight': model.matching.reduce_conv[0].weight,
        'layer1.1.0.conv1.weight': model.encoder.encoder.layer1[0].conv1.weight,
        'layer0.0.weight': model.encoder.encoder.conv1.weight,
    }
    for key, parameter in parameters.items():
        norm = parameter.grad.double().norm()
        golden.check(f'{name}.gradnorm.encoder.{key}', norm, GRADIENT_NORM_LIMIT)
        golden.check(f'{name}.grad.encoder.{key}', parameter.grad, GRADIENT_LIMIT)
    unused = [k for k, p in model.named_parameters() if p.grad is None]
    assert [k.removeprefix('matching.') for k in unused] == golden.array(
        f'{name}.grad_is_none'
    ).tolist()


def test_training_step():
    model = with_draws(build(), meta(TRAIN)['augmentation_draws'])
    inputs = make_inputs(SIZE)
    terms, losses, total = step(model, inputs)
    check_losses(TRAIN, 'full', model, inputs, terms, losses, total)
    check_masks(TRAIN, 'full', model, terms)
    check_maps(TRAIN, 'full', terms, model)
    total.backward()
    check_gradients(TRAIN, 'full', model)


@pytest.mark.parametrize('name', CASES)
def test_variants(name):
    changes, teacher = OPTIONS[name]
    model = with_draws(build(teacher=teacher, **changes), meta(VARIANTS)['augmentation_draws'])
    inputs = make_inputs(SMALL, NEEDED.get(name, (0, -1, 1)))
    if name == 'frozen':
        model.freeze_teacher()
    if name == 'eval':
        model.eval()
    if name == 'missing_frame':
        for images in (inputs['images'], inputs['augmented']):
            images[-1] = images[-1].clone()
            images[-1][1] = 0
    terms, losses, total = step(model, inputs)
    check_losses(VARIANTS, name, model, inputs, terms, losses, total)
    check_masks(VARIANTS, name, model, terms)
    if f'{name}.disp3' in VARIANTS:
        check_maps(VARIANTS, name, terms, model)
    if name == 'missing_frame':
        VARIANTS.check('missing_frame.relative_pose', terms.poses[:, 0], LIMIT)
    if name != 'eval':
        total.backward()
        check_gradients(VARIANTS, name, model)


def test_variants_are_those_of_the_files():
    named = set(meta(VARIANTS)['variants']) | {'frozen', 'missing_frame', 'eval'}
    assert named == set(OPTIONS)
