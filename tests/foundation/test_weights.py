import pytest
import timm
import torch
from safetensors.torch import save_file

from hybrid_depth.foundation import CLIPTower, DINOTower
from hybrid_depth.foundation.weights import build_timm, find_weights, hub_download
from tests.depth.encoders.tiny import TINY_CLIP
from tests.hostile import FILE_KINDS, hostile_file

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


def test_the_program_is_real(tmp_path):
    torch.jit.load(hostile_file('program', tmp_path, tmp_path / 'code-has-run'))
    assert (tmp_path / 'code-has-run').exists()


@pytest.mark.parametrize('kind', FILE_KINDS)
@pytest.mark.parametrize(
    'load',
    [
        lambda path: CLIPTower(pretrained=path, **TINY_CLIP),
        lambda path: DINOTower('vit_small_patch14_dinov2', pretrained=path),
        lambda path: build_timm(SMALL, path),
    ],
    ids=['clip', 'dino', 'timm'],
)
def test_hostile_files_run_nothing(folder, load, kind):
    marker = folder / 'code-has-run'
    path = hostile_file(kind, folder, marker)
    with pytest.raises(Exception, match='.'):  # noqa: B017
        load(str(path))
    assert not marker.exists()
