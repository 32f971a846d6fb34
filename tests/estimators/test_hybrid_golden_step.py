"""A whole training step of the official stage 2 (docs/reference/golden.md, "Hybrid-depth")."""

import numpy as np
import pytest
import torch

from tests.encoders.official import DATA, assert_golden
from tests.estimators.hybrid_model import build, make_inputs, official_gradients

# Per precision: losses (relative), gradient norms (relative: median, worst), whole gradients (of
# the largest).
LIMITS = {
    torch.float64: dict(loss=1e-6, median=1e-4, worst=1e-4, gradient=1e-4),
    torch.float32: dict(loss=1e-5, median=2e-3, worst=2e-2, gradient=3e-2),
}
DISPARITY_LIMIT = 1e-4
FILES = {torch.float64: 'hybrid_depth_train64.npz', torch.float32: 'hybrid_depth_train.npz'}


@pytest.mark.slow
@pytest.mark.parametrize('dtype', FILES, ids=['float64', 'float32'])
def test_training_step(dtype):
    golden, limits = np.load(DATA / FILES[dtype]), LIMITS[dtype]
    model = build(float(golden['head_bias'])).to(dtype).train()
    found, compare = {}, model.compare
    model.compare = lambda inputs: found.update(compare(inputs)) or found
    losses = model(make_inputs(dtype), mode='loss')
    total = model.parse_losses(losses)[0]
    total.backward()
    for name, value in (
        ('loss.photometric', losses['loss_photometric']),
        ('loss.smoothness', losses['loss_smoothness'] / 1e-3),
        ('loss', total),
    ):
        assert abs(value.item() / float(golden[f'train.{name}']) - 1) <= limits['loss'], name
    if dtype == torch.float32:
        assert_golden(golden, 'train.disp', found[0].output.detach(), DISPARITY_LIMIT)
    gradients = official_gradients(model)
    check_gradients(golden, gradients, limits)
    check_statistics(golden, model)


def check_gradients(golden, gradients, limits):
    """All norms, which parameters learn, and the few gradients stored whole."""
    norms = {name: g.norm().item() for name, g in gradients.items() if g is not None}
    assert set(norms) == set(golden['grad.names'])
    expected = dict(zip(golden['grad.names'], golden['grad.norms'], strict=True))
    off = np.array([abs(norms[name] / expected[name] - 1) for name in norms])
    assert np.median(off) <= limits['median'] and off.max() <= limits['worst']
    whole = [n.removeprefix('grad.') for n in golden.files if n.startswith('grad.') and ':' in n]
    whole = [name for name in whole if not name.endswith('.stats')]
    for name in whole:
        stored = torch.from_numpy(golden[f'grad.{name}'])
        error = (gradients[name] - stored).abs().max() / stored.abs().max()
        assert error <= limits['gradient'], name
    assert len(whole) == 15


def check_statistics(golden, model):
    """Running statistics after the step; the pose net's move twice."""
    places = {'encoder:clip': 'encoder.clip', 'pose_encoder:encoder': 'pose_net.encoder.encoder'}
    names = [n for n in golden.files if n.startswith('after.') and not n.endswith('.stats')]
    for name in names:
        key = name.removeprefix('after.')
        for official, ours in places.items():
            key = key.replace(official, ours)
        stored = torch.from_numpy(golden[name])
        assert (model.get_buffer(key) - stored).abs().max() <= 1e-4 * stored.abs().max(), name
