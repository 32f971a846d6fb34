"""Unwrapping and checking of weights: the tables of tests/weight_files.py on a small network."""

import pytest
import torch
from torch import nn

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.strict_load import load_strictly
from hybrid_depth.checkpoints.weights import (
    CheckpointMismatchError,
    mismatches,
    part_of,
    require_finite,
    weights_of,
)
from hybrid_depth.errors import HybridDepthError
from tests.weight_files import BROKEN, FOREIGN, PARTS, WRAPPED, write, write_safetensors


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def loaded(path: str) -> dict:
    """State of a new network after the strict load of a file."""
    model = network()
    load_strictly(model, weights_of(load_checkpoint_file(path), path, model.state_dict()), path)
    return model.state_dict()


def assert_close(given: dict, expected: dict, tolerance: float = 0.0) -> None:
    assert given.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.allclose(given[key].float(), value.float(), rtol=0, atol=tolerance), key


@pytest.mark.parametrize('kind', WRAPPED)
def test_wrappers_are_removed(kind, tmp_path):
    state = network().state_dict()
    path = write(WRAPPED[kind](state), tmp_path / 'weights.pth')
    half_precision = 1e-3
    assert_close(loaded(path), state, half_precision if 'half' in kind else 0)


def test_safetensors(tmp_path):
    state = network().state_dict()
    assert_close(loaded(write_safetensors(state, tmp_path / 'weights.safetensors')), state)
    (tmp_path / 'weights.safetensors').write_bytes(b'\xff' * 40)
    with pytest.raises(HybridDepthError, match='weights.safetensors.*damaged'):
        loaded(str(tmp_path / 'weights.safetensors'))


@pytest.mark.parametrize('kind', PARTS)
def test_backbones_of_larger_models(kind):
    state = network().state_dict()
    weights = weights_of(PARTS[kind](state), 'file', state)
    assert_close(part_of(weights, state), state)


@pytest.mark.parametrize('kind', [*BROKEN, *FOREIGN])
def test_unusable_weights_are_refused(kind, tmp_path):
    path = write((BROKEN | FOREIGN)[kind](network().state_dict()), tmp_path / 'weights.pth')
    with pytest.raises(HybridDepthError, match=r'weights\.pth.*expected'):
        loaded(path)


def test_names_of_the_model_are_kept():
    """A model may have parts that are called like wrappers."""
    model = nn.ModuleDict(dict(module=nn.Linear(2, 2), model=nn.Linear(2, 2)))
    state = model.state_dict()
    assert_close(weights_of(state, 'file', state), state)
    compiled = {f'0._orig_mod.{key[2:]}': v for key, v in network()[:1].state_dict().items()}
    assert list(weights_of(compiled, 'file', network().state_dict())) == ['0.weight', '0.bias']


def test_errors_list_keys_and_shapes():
    given, expected = network().state_dict(), network().state_dict()
    given['2.weight'] = given['2.weight'][:, :3]
    given['3.bias'] = given.pop('0.bias')
    given['1.bias'] = given['1.bias'].long()
    assert mismatches(given, expected) == [
        "1 not in the file: ['0.bias']",
        "1 not in the model: ['3.bias']",
        "1 of another shape: ['2.weight: [2, 3] instead of [2, 4]']",
        "1 of another type: ['1.bias: torch.int64 instead of torch.float32']",
    ]
    assert mismatches(expected, expected) == []


def test_many_names_are_shortened():
    names = mismatches({}, {str(i): torch.ones(1) for i in range(100, 120)})
    assert names == [f'20 not in the file: {[*map(str, range(100, 108)), "and 12 more"]}']


def test_masks_may_be_negative_infinity():
    mask = torch.full((2, 2), float('-inf'))
    require_finite({'attn_mask': mask, 'float8': torch.ones(2).to(torch.float8_e4m3fn)}, 'file')
    for name, value in (('attn_mask', -mask), ('attn_mask', mask * 0), ('weight', mask)):
        with pytest.raises(CheckpointMismatchError, match=f'NaN or infinity.*{name}'):
            require_finite({name: value}, 'file')


def test_integers_are_not_loaded_as_weights():
    model = network()
    state = dict(model.state_dict(), **{'0.weight': torch.ones(4, 3, 3, 3, dtype=torch.int8)})
    with pytest.raises(CheckpointMismatchError, match='0.weight: torch.int8 instead of'):
        load_strictly(model, state, 'file')
