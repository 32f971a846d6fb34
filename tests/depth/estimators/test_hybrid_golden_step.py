"""Parity of a stage 2 training step (docs/reference/golden.md, "Hybrid-depth")."""

import pytest
import torch

from tests.depth.estimators.golden_model import record_motions
from tests.depth.estimators.hybrid_model import (
    FLOAT32_MEDIAN,
    build,
    check_comparison,
    check_losses,
    check_norms,
    make_inputs,
    official_gradients,
)
from tests.golden.reader import Golden

STEP = Golden('hybrid_depth_train')
STEP_64 = Golden('hybrid_depth_train64', strided_as=STEP)
# Per precision: maps (of the largest), losses (relative), gradient norms (relative: median, worst),
# whole gradients (of the largest). In float64 the release still inverts the intrinsics in float32,
# which moves the warp by 4e-5 pixels and the loss by 8e-7. In float32 the note gives no limit for
# whole gradients, as the release's own move by 1e-2 with the threads and by 3e-2 against float64.
LIMITS = {
    torch.float64: dict(map=1e-6, loss=3e-6, median=1e-4, worst=1e-4, gradient=1e-4),
    torch.float32: dict(map=1e-4, loss=1e-5, median=FLOAT32_MEDIAN, worst=2e-2, gradient=1e-1),
}


@pytest.mark.slow
@pytest.mark.parametrize('dtype', LIMITS, ids=['float64', 'float32'])
def test_training_step(dtype):
    golden, limits = STEP_64 if dtype == torch.float64 else STEP, LIMITS[dtype]
    model = build(float(golden['head_bias'])).to(dtype)
    inputs, motions, last = make_inputs(dtype), record_motions(model), []
    if dtype == torch.float64:
        check_eval_mode(golden, model.eval(), inputs, motions)
    model.pose_net.encoder.register_forward_hook(lambda _, __, level: last.append(level))
    model.train()
    found, compare = {}, model.compare
    model.compare = lambda inputs: found.update(compare(inputs)) or found
    losses = model(inputs, mode='loss')
    model.parse_losses(losses)[0].backward()
    if dtype == torch.float64:
        golden.check('train.disp', found[0].output, limits['map'])
        check_losses(golden, 'train', losses, limits['loss'])
    else:
        check_comparison(
            golden, 'train', model, inputs, found[0], losses, limits['map'], limits['loss']
        )
        golden.check('train.pose_layer4', last[-1], limits['map'])
        for name, matrix in zip(('-1', '+1'), found[0].transforms, strict=True):
            golden.check(f'train.cam_T_cam.{name}', matrix, limits['map'])
    check_motions(golden, 'train', motions, limits['map'])
    check_gradients(golden, model, limits)
    if dtype == torch.float32:
        check_statistics(golden, model)


@torch.no_grad()
def check_eval_mode(golden, model, inputs, motions):
    found = model.compare(inputs)
    golden.check('eval.disp', found[0].output, LIMITS[torch.float64]['map'])
    compare, model.compare = model.compare, lambda _: found
    check_losses(golden, 'eval', model(inputs, mode='loss'), LIMITS[torch.float64]['loss'])
    model.compare = compare
    check_motions(golden, 'eval', motions, LIMITS[torch.float64]['map'])
    motions.clear()


def check_motions(golden, mode, motions, limit):
    for name, motion in zip(('-1', '+1'), motions, strict=True):
        golden.check(f'{mode}.axisangle.{name}', motion[:, :, None, :3], limit)
        golden.check(f'{mode}.translation.{name}', motion[:, :, None, 3:], limit)


def check_gradients(golden, model, limits):
    """Check all norms, which parameters have a gradient, and the complete stored gradients."""
    gradients = {name: g for name, g in official_gradients(model).items() if g is not None}
    check_norms(golden, gradients, limits)
    # Those without a gradient are not parameters here, or frozen.
    never = golden.array('grad.flagged_but_none').tolist()
    assert not set(never) & set(gradients)
    golden.check('grad.n_trainable', len(gradients) + len(never), 0)
    whole = golden.names('grad.*:*')
    for name in whole:
        golden.check(name, gradients[name.removeprefix('grad.')], limits['gradient'])
    assert len(whole) == 15


def check_statistics(golden, model):
    """Running statistics after the step; the pose net's change twice."""
    places = {'encoder:clip': 'encoder.clip', 'pose_encoder:encoder': 'pose_net.encoder.encoder'}
    for name in golden.names('after.*'):
        key = name.removeprefix('after.')
        for official, ours in places.items():
            key = key.replace(official, ours)
        golden.check(name, model.get_buffer(key), 1e-4)
