"""Depth Anything 3: its laws with a stand-in for its package, and the real package if installed."""

import importlib.util
import json
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hybrid_depth.depth.estimators import DepthAnything3
from hybrid_depth.errors import ConfigError, HybridDepthError, MissingInputError
from tests.borders.refusal import refused

SIZE = (40, 60)  # of the images
CAMERAS = torch.tensor([[30.0, 0, 30], [0, 36, 20], [0, 0, 1]]).repeat(2, 1, 1)


class Network(nn.Module):
    """Depth is a gain times the red channel."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, images):
        assert images.shape[:3] == (1, 1, 3)
        return dict(depth=self.gain * images[:, :, 0])


class Images:
    """Twice as large, as the package's processor makes images of SIZE larger."""

    def __call__(self, images, process_res, sequential):
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 255
        return nn.functional.interpolate(batch, scale_factor=2), None, None


@pytest.fixture
def package(monkeypatch):
    """A stand-in for the modules that are used."""
    made = dict(
        cfg=dict(create_object=lambda config: Network(), load_config=lambda path: path),
        registry=dict(MODEL_REGISTRY={'da3metric-large': 'a', 'da3mono-large': 'b'}),
        utils={},
    )
    made['utils.io'] = {}
    made['utils.io.input_processor'] = dict(InputProcessor=Images)
    monkeypatch.setitem(sys.modules, 'depth_anything_3', ModuleType('depth_anything_3'))
    for name, content in made.items():
        module = ModuleType(f'depth_anything_3.{name}')
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)


def folder(path, architecture, gain=6.0, key='model.gain'):
    (path / 'config.json').write_text(json.dumps(dict(model_name=architecture)))
    save_file({key: torch.tensor([gain])}, path / 'model.safetensors')
    (path / 'README.md').write_text('---\nlicense: apache-2.0\n---\n')
    return str(path)


@pytest.fixture
def frames():
    return {0: torch.rand(2, 3, *SIZE).mul(255).round() / 255}


def test_metres_follow_the_focal_length(package, tmp_path, frames):
    """metres = output * focal length of the network's images / 300."""
    model = DepthAnything3(folder(tmp_path, 'da3metric-large'))
    assert (model.kind, model.focal_rule, model.licence) == ('metric', 'given', 'apache-2.0')
    found = model.predict(frames, CAMERAS)
    assert found.kind == 'metric' and found.values.shape == (2, 1, *SIZE)
    expected = 6 * frames[0][:, :1] * (2 * (30 + 36) / 2) / 300  # images of twice the size
    torch.testing.assert_close(found.values, expected.clamp(min=0.01))
    with pytest.raises(MissingInputError, match='--intrinsics'):
        model.predict(frames)
    with pytest.raises(ConfigError, match='expected inference'):
        model.loss({})


def test_other_architectures_have_no_unit(package, tmp_path, frames):
    model = DepthAnything3(folder(tmp_path, 'da3mono-large'))
    found = model.predict(frames)
    assert found.kind == 'relative' and model.focal_rule == 'none'
    torch.testing.assert_close(found.values, (6 * frames[0][:, :1]).clamp(min=0.01))


def test_models_that_do_not_fit(package, tmp_path, monkeypatch):
    with refused('da3metric-large, da3mono-large', "got 'da4'"):
        DepthAnything3(folder(tmp_path, 'da4'))
    with refused('model.safetensors', 'weights of this architecture', 'bias'):
        DepthAnything3(folder(tmp_path, 'da3mono-large', key='model.bias'))
    (tmp_path / 'model.safetensors').write_bytes(b'no weights')
    with refused('model.safetensors', 'weights of this architecture'):
        DepthAnything3(str(tmp_path))
    (tmp_path / 'config.json').unlink()
    with refused('config.json', str(tmp_path)):
        DepthAnything3(str(tmp_path))
    monkeypatch.setitem(sys.modules, 'depth_anything_3.cfg', None)
    with pytest.raises(HybridDepthError, match='pip install --no-deps depth-anything-3'):
        DepthAnything3(str(tmp_path))


@pytest.mark.skipif(
    importlib.util.find_spec('depth_anything_3') is None, reason='depth-anything-3 not installed'
)
def test_the_real_package(tmp_path, frames):
    """Random weights of its smallest architecture, in the layout of the released ones."""
    from depth_anything_3.cfg import create_object, load_config
    from depth_anything_3.registry import MODEL_REGISTRY

    network = create_object(load_config(MODEL_REGISTRY['da3-small'])).eval()
    weights = {f'model.{key}': value for key, value in network.state_dict().items()}
    folder(tmp_path, 'da3-small')
    save_file(
        {k: v.clone().contiguous() for k, v in weights.items()}, tmp_path / 'model.safetensors'
    )
    model = DepthAnything3(str(tmp_path))
    found = model.predict(frames)
    assert found.kind == 'relative' and found.values.shape == (2, 1, *SIZE)
    inputs, _, _ = model.images(
        [(x.permute(1, 2, 0) * 255).round().byte().numpy() for x in frames[0]], sequential=True
    )
    assert inputs.shape[-2:] == (336, 504)
    with torch.no_grad():
        expected = network(inputs[:1][None])['depth'].reshape(1, 1, 336, 504)
    resized = nn.functional.interpolate(expected, SIZE, mode='bilinear')
    torch.testing.assert_close(found.values[:1], resized.clamp(min=0.01), rtol=1e-4, atol=1e-5)
    assert found.values.std() > 0
