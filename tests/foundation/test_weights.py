import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from hybrid_depth.checkpoints.weights import CheckpointMismatchError
from hybrid_depth.depth.encoders import ResNetDepthEncoder, TimmDepthEncoder
from hybrid_depth.errors import HybridDepthError
from hybrid_depth.foundation import CLIPTower, DINOTower, build_clip
from hybrid_depth.foundation.weights import build_timm, find_weights, hub_download
from tests.depth.encoders.tiny import TINY_CLIP, TINY_DINO
from tests.hostile import FILE_KINDS, hostile_file
from tests.weight_files import BROKEN, FOREIGN, PARTS, WRAPPED, write, write_safetensors

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


#: Towers and encoders with `pretrained`: the tower from a file, and its network before.
TINY_VIT = {key: value for key, value in TINY_DINO.items() if key not in ('mean', 'std', 'name')}
TOWERS = {
    'clip': (
        lambda path: CLIPTower(pretrained=path, **TINY_CLIP).visual,
        lambda: build_clip('', None, TINY_CLIP['model_cfg']),
    ),
    'dino': (
        lambda path: DINOTower(pretrained=path, **TINY_DINO).vit,
        lambda: timm.create_model(TINY_DINO['name'], num_classes=0, **TINY_VIT),
    ),
    'timm': (
        lambda path: TimmDepthEncoder(SMALL, pretrained=path).body,
        lambda: timm.create_model(SMALL),
    ),
    'resnet': (
        lambda path: ResNetDepthEncoder(18, pretrained=path).encoder,
        lambda: torchvision.models.resnet18(),
    ),
}
CASES = [(tower, kind) for tower in TOWERS for kind in (WRAPPED | PARTS)]
REFUSED = [(tower, kind) for tower in TOWERS for kind in (BROKEN | FOREIGN)]


@pytest.fixture(scope='module')
def networks():
    """State dict of each network with a distinct constant in every tensor."""

    def numbered(network: torch.nn.Module) -> dict:
        state = network.state_dict()
        return {key: torch.full_like(v, 0.5 + i % 97) for i, (key, v) in enumerate(state.items())}

    return {name: numbered(build()) for name, (_, build) in TOWERS.items()}


def constants(module: torch.nn.Module) -> list[float]:
    """Constants of all tensors, sorted: encoders may rename and drop parts."""
    values = [value for key, value in module.state_dict().items() if 'num_batches' not in key]
    assert all(value.min() == value.max() for value in values)
    return sorted(float(value.flatten()[0]) for value in values)


@pytest.mark.parametrize(('tower', 'kind'), CASES)
def test_every_tensor_of_a_tower_is_from_the_file(tower, kind, networks, tmp_path):
    """timm left 150 of 150 tensors random, without an error."""
    load, state = TOWERS[tower][0], networks[tower]
    path = write((WRAPPED | PARTS)[kind](state), tmp_path / 'weights.pth')
    plain = load(write(state, tmp_path / 'plain.pth'))
    assert constants(load(path)) == constants(plain)
    assert len(set(constants(plain))) > 20 and min(constants(plain)) >= 0.5


@pytest.mark.parametrize(('tower', 'kind'), REFUSED)
def test_unusable_weights_are_refused(tower, kind, networks, tmp_path):
    path = write((BROKEN | FOREIGN)[kind](networks[tower]), tmp_path / 'weights.pth')
    with pytest.raises(HybridDepthError, match=r'weights\.pth.*expected'):
        TOWERS[tower][0](path)


@pytest.mark.parametrize('tower', TOWERS)
def test_safetensors(tower, networks, tmp_path):
    path = write_safetensors(networks[tower], tmp_path / 'weights.safetensors')
    assert min(constants(TOWERS[tower][0](path))) >= 0.5


@pytest.mark.parametrize('name', ['vit_small_patch14_dinov2', 'vit_tiny_patch16_224'])
def test_a_deeper_model_is_refused(name, tmp_path):
    """Its first blocks have the same names and shapes; timm is lenient for the second model."""
    deep = timm.create_model(name, num_classes=0, **{**TINY_VIT, 'depth': 5})
    path = write(deep.state_dict(), tmp_path / 'deep.pth')
    with pytest.raises(CheckpointMismatchError, match=r'deep.pth(?s:.)*blocks.4.'):
        DINOTower(pretrained=path, **{**TINY_DINO, 'name': name})


def test_classifiers_are_not_needed(tmp_path):
    with_head = timm.create_model(TINY_DINO['name'], num_classes=7, **TINY_VIT).state_dict()
    tower = DINOTower(pretrained=write(with_head, tmp_path / 'head.pth'), **TINY_DINO)
    assert torch.equal(tower.vit.norm.weight, with_head['norm.weight'])
    no_head = timm.create_model(SMALL, num_classes=0).state_dict()
    encoder = TimmDepthEncoder(SMALL, pretrained=write(no_head, tmp_path / 'none.pth'))
    assert torch.equal(encoder.body.conv1[0].weight, no_head['conv1.0.weight'])


def test_parts_that_are_not_built_may_be_missing(tmp_path):
    state = timm.create_model(SMALL).state_dict()
    low = {key: value for key, value in state.items() if not key.startswith('layer4')}
    path = write(low, tmp_path / 'low.pth')
    TimmDepthEncoder(SMALL, pretrained=path, out_indices=(0, 1, 2))
    with pytest.raises(CheckpointMismatchError, match='not in the file.*layer4'):
        TimmDepthEncoder(SMALL, pretrained=path)


def test_the_file_is_not_kept_in_the_model(networks, tmp_path):
    tower = DINOTower(pretrained=write(networks['dino'], tmp_path / 'w.pth'), **TINY_DINO)
    assert 'state_dict' not in tower.vit.pretrained_cfg


def test_errors_of_options_are_not_blamed_on_the_file(networks, tmp_path):
    with pytest.raises(TypeError, match='no_such_option'):
        build_timm(SMALL, write(networks['timm'], tmp_path / 'w.pth'), no_such_option=1)


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
