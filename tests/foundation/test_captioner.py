"""Captions by a tiny random BLIP, which the test writes in the layout of a real one."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from hybrid_depth.datasets.captions import read_texts
from hybrid_depth.devices import DeviceError
from hybrid_depth.errors import HybridDepthError
from hybrid_depth.foundation.captioner import Captioner
from tests.foundation.tiny_blip import WORDS, write_tiny_blip
from tests.tools.run import run_tool


@pytest.fixture(scope='module')
def blip(tmp_path_factory):
    pytest.importorskip('transformers')
    return write_tiny_blip(tmp_path_factory.mktemp('blip'))


def images(count=3):
    pixels = np.random.randint(0, 255, (count, 24, 40, 3), np.uint8)
    return [Image.fromarray(image) for image in pixels]


def test_captions_are_words_of_the_model_and_repeatable(blip):
    captioner, pictures = Captioner(str(blip), max_tokens=5), images()
    texts = captioner(pictures)
    assert len(texts) == 3 and all(texts) and texts == captioner(pictures)
    assert all(set(text.split()) <= set(WORDS) for text in texts)
    assert captioner(pictures[:1]) == texts[:1]


@pytest.mark.parametrize('device', ['gpu', 'cuda:99'])
def test_devices_that_do_not_exist(blip, device):
    with pytest.raises(DeviceError, match=f'got {device}'):
        Captioner(str(blip), device)


def test_pickled_weights_are_refused(blip, tmp_path):
    """Only safetensors: a .bin file could run code."""
    for path in blip.iterdir():
        if path.suffix != '.safetensors':
            (tmp_path / path.name).write_bytes(path.read_bytes())
    torch.save({}, tmp_path / 'pytorch_model.bin')
    with pytest.raises(HybridDepthError, match='safetensors'):
        Captioner(str(tmp_path))


def test_code_of_a_model_is_not_run(blip, tmp_path):
    for path in blip.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / 'config.json').read_text())
    config['model_type'] = 'other'
    config['auto_map'] = dict(AutoConfig='code.Config', AutoModelForImageTextToText='code.Model')
    (tmp_path / 'config.json').write_text(json.dumps(config))
    (tmp_path / 'code.py').write_text(f'open({str(tmp_path / "ran")!r}, "w")')
    with pytest.raises(HybridDepthError, match='expected an image-to-text model'):
        Captioner(str(tmp_path))
    assert not (tmp_path / 'ran').exists()


def test_a_missing_model_or_package(tmp_path, monkeypatch):
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    if 'transformers' in sys.modules:
        with pytest.raises(HybridDepthError, match='expected an image-to-text model'):
            Captioner(str(tmp_path / 'none'))
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(HybridDepthError, match='pip install'):
        Captioner(str(tmp_path))


def test_the_command_line_captions_a_folder_and_goes_on(blip, tmp_path):
    for i, image in enumerate(images()):
        image.save(tmp_path / f'{i}.png')
    command = ('make_captions.py', tmp_path, tmp_path / 'out/c.jsonl', '--model', blip)
    assert run_tool(*command, '--glob', '[01].png', '--batch', 2) is None
    first = read_texts(tmp_path / 'out/c.jsonl')
    assert set(first) == {'0.png', '1.png'}
    assert run_tool(*command) is None
    texts = read_texts(tmp_path / 'out/c.jsonl')
    assert set(texts) == {'0.png', '1.png', '2.png'} and all(texts[k] == first[k] for k in first)
