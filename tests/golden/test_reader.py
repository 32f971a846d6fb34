import json

import numpy as np
import pytest
import torch

from tests.golden import reader, recipe
from tests.golden.reader import Golden

WHOLE = np.arange(40, dtype=np.float64).reshape(5, 8) % 7 - 2
STATS = np.array([WHOLE.mean(), WHOLE.std(), np.abs(WHOLE).max(), WHOLE.sum()])


@pytest.fixture(autouse=True)
def _apart(monkeypatch):
    """Files of these tests do not count for the run."""
    monkeypatch.setattr(reader, 'READ', {})
    monkeypatch.setattr(reader, 'MARGINS', {})


@pytest.fixture(params=['rules', 'strides', 'slice', 'whole'])
def golden(request, tmp_path, monkeypatch) -> Golden:
    """One array per convention of the golden notes."""
    arrays = {
        'rules': {
            'x': WHOLE[::2, ::3],
            'x|stats': STATS,
            'rules': json.dumps(dict(x=dict(shape=WHOLE.shape, steps=[2, 3]))),
        },
        'strides': {
            'x': WHOLE[::2, ::3],
            'x.shape': WHOLE.shape,
            'x.step': [2, 3],
            'x.stats': STATS[:3],
        },
        'slice': {
            'x.slice': WHOLE.reshape(-1)[::7],
            'x.shape': WHOLE.shape,
            'x.step': 7,
            'x.stats': STATS[:3],
        },
        'whole': {'x': WHOLE, 'x.stats': STATS[:3]},
    }
    np.savez(tmp_path / 'file.npz', **arrays[request.param])
    monkeypatch.setattr(recipe, 'FOLDER', tmp_path)
    return Golden('file')


def changed(place: tuple[int, int] | slice, by: float) -> torch.Tensor:
    value = torch.from_numpy(WHOLE.copy())
    value[place] += by
    return value


def test_equal_arrays(golden):
    golden.check('x', WHOLE, 0)
    golden.check('x', torch.from_numpy(WHOLE).float().requires_grad_(), 1e-6)
    assert golden.names('*') in (['x'], ['x', 'rules'])


def test_values_beyond_the_limit(golden):
    """The largest is 4: 0.01 of it is 0.04."""
    golden.check('x', changed((0, 0), 0.03), 0.01)
    with pytest.raises(AssertionError, match=r'off by 1\.25 times'):
        golden.check('x', changed((0, 0), 0.05), 0.01)
    golden.check('x', changed((0, 0), 0.05), 0.1, scale=1)
    with pytest.raises(AssertionError, match='off by nan|off by inf'):
        golden.check('x', changed((0, 0), torch.nan), 0.01)


def test_statistics_check_values_that_are_not_stored(golden):
    """All values except the stored ones differ by more than the limit."""
    value = torch.from_numpy(WHOLE.copy()) + 0.1
    parts = value[::2, ::3], value.view(-1)[::7]
    for part, whole in zip(parts, (WHOLE[::2, ::3], WHOLE.reshape(-1)[::7]), strict=True):
        part.copy_(torch.from_numpy(whole))
    with pytest.raises(AssertionError, match='off by'):
        golden.check('x', value, 0.01)


def test_limits_per_value(golden):
    golden.check_each('x', WHOLE * 1.001, 1e-2)
    with pytest.raises(AssertionError):
        golden.check_each('x', WHOLE * 1.02, 1e-2)
    with pytest.raises(AssertionError):  # 1 % of the largest value, more of this one
        golden.check_each('x', changed((0, 0), 0.03), 1e-2)


def test_free_values_are_only_limited_by_statistics(golden):
    free = torch.zeros(5, 8, dtype=torch.bool)
    free[0, 0] = True
    golden.check('x', changed((0, 0), 5), 1e-3, free=free)
    with pytest.raises(AssertionError):
        golden.check('x', changed((0, 0), 50), 1e-3, free=free)
    with pytest.raises(AssertionError):
        golden.check('x', changed(slice(None), 0.1), 1e-3, free=free)


def test_another_shape(golden):
    with pytest.raises(AssertionError, match='4, 10'):
        golden.check('x', WHOLE.reshape(4, 10), 1)


def test_shares_of_a_mask(tmp_path, monkeypatch):
    mask = torch.arange(1000) % 3 == 0
    stats = [mask.float().mean(), mask.float().std(correction=0), 1]
    np.savez(
        tmp_path / 'file.npz',
        **{'m': mask[::2], 'm.stats': stats},
        **{'m.shape': [1000]},
        **{'m.step': [2]},
    )
    monkeypatch.setattr(recipe, 'FOLDER', tmp_path)
    other = mask.clone()
    other[:8:2] = ~other[:8:2]  # 4 of the 500 stored
    Golden('file').check_share('m', other, 0.01)
    with pytest.raises(AssertionError):
        Golden('file').check_share('m', other, 0.005)
    other = mask.clone()
    other[1::2] = True  # only values that are not stored
    with pytest.raises(AssertionError):
        Golden('file').check_share('m', other, 0.01)


def test_strides_of_another_file(tmp_path, monkeypatch):
    np.savez(tmp_path / 'one.npz', **{'x': WHOLE[::2], 'x.shape': [5, 8], 'x.step': [2, 1]})
    np.savez(tmp_path / 'two.npz', **{'x': WHOLE[::2], 'x.stats': STATS[:3]})
    monkeypatch.setattr(recipe, 'FOLDER', tmp_path)
    Golden('two', strided_as=Golden('one')).check('x', WHOLE, 0)
    with pytest.raises(AssertionError):
        Golden('two').check('x', WHOLE, 0)
