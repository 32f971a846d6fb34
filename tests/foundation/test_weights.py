import os
import pickle

import pytest
import timm
import torch
from safetensors.torch import save_file

from hybrid_depth.foundation import CLIPTower, DINOTower
from hybrid_depth.foundation.weights import build_timm, find_weights, hub_download
from tests.depth.encoders.tiny import TINY_CLIP

SMALL = 'test_resnet'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('HYBRID_DEPTH_WEIGHTS', str(tmp_path))
    return tmp_path


def test_missing_file_names_the_expected_path(folder):
    with pytest.raises(FileNotFoundError, match=str(folder / 'my_clip.pth')):
        CLIPTower(pretrained='my_clip.pth')
    with pytest.raises(FileNotFoundError, match=str(folder / 'my_dino.pth')):
        DINOTower(pretrained='my_dino.pth')


def test_failed_download_names_the_expected_path(folder):
    target = folder / 'RN50-quickgelu.openai.safetensors'
    with pytest.raises(FileNotFoundError, match=str(target)):
        with hub_download('RN50-quickgelu', 'openai', 'somewhere'):
            raise OSError('no network')


def test_local_copy_of_a_hub_tag_is_used(folder):
    model = timm.create_model(SMALL)
    assert find_weights('tag', SMALL) is None
    save_file(model.state_dict(), folder / f'{SMALL}.r160_in1k.safetensors')
    loaded = build_timm(f'{SMALL}.r160_in1k', 'hub')
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, loaded.get_parameter(name))


class _RunsCode:
    def __reduce__(self):
        return os.mkdir, (os.environ['HYBRID_DEPTH_WEIGHTS'] + '/code_ran',)


@pytest.mark.parametrize(
    'load',
    [
        lambda path: CLIPTower(pretrained=path, **TINY_CLIP),
        lambda path: DINOTower('vit_small_patch14_dinov2', pretrained=path),
        lambda path: build_timm(SMALL, path),
    ],
    ids=['clip', 'dino', 'timm'],
)
def test_malicious_pickle_does_not_run(folder, load):
    path = folder / 'malicious.pth'
    torch.save({'state_dict': {'x': _RunsCode()}}, path)
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load(str(path))
    assert not (folder / 'code_ran').exists()
