"""Released Mono-ViFI models and interpolations through the converter."""

import pytest
import torch

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.checkpoints.strict_load import CheckpointMismatchError
from hybrid_depth.depth.estimators.init import init_depth_model
from hybrid_depth.depth.interpolation import IFRNet
from hybrid_depth.releases.conversion import ReleaseError
from hybrid_depth.releases.convert import convert_checkpoint
from tests.conftest import ROOT
from tests.golden import recipe
from tests.releases.official_files import save_folder, zeros

CONFIG = 'configs/mono_vifi/mono-vifi_{}_kitti-raw_192x640.py'.format
BACKBONES = dict(ResNet18='r18_1xb10-20e', LiteMono='litemono_1xb8-20e', DHRNet='dhrnet_1xb6-20e')


def official(backbone='ResNet18', shared=('encoder_mf',), height=192, width=640):
    keys = recipe.shapes('mono_vifi_keys')
    parts = {k: v for k, v in keys[backbone].items() if isinstance(v, dict)}
    parts |= dict(encoder_mf=parts['encoder'], depth_mf=parts['depth'])
    parts |= dict(pose_encoder=keys['pose_encoder'], pose=keys['pose'])
    model = {part: zeros(shapes) for part, shapes in parts.items()}
    for part in {'encoder_mf', 'depth_mf'} - set(shared):
        model[part] = {k: torch.ones(()).expand(v.shape) for k, v in model[part].items()}
    return dict(model, height=height, width=width, use_stereo=False)


def interpolation(size):
    return dict(VFI=zeros(recipe.shapes('mono_vifi_keys')[f'VFI {size}']))


def folder(path, sizes=('small', 'large'), **options):
    files = {f'vfi_{size}.pth': interpolation(size) for size in sizes}
    return save_folder(path, files | {'model.pth': official(**options)})


@pytest.mark.parametrize('backbone', BACKBONES)
def test_fits_the_config(backbone, tmp_path):
    source = folder(tmp_path / 'release', backbone=backbone)
    conversion = convert_checkpoint('mono-vifi', source, tmp_path / 'out.pth')
    assert not conversion.overrides
    model = init_depth_model(ROOT / CONFIG(BACKBONES[backbone]), tmp_path / 'out.pth')
    assert model.image_size == (192, 640)
    state = load_checkpoint_file(tmp_path / 'out.pth')['state_dict']
    assert all((v == 1).all() for k, v in state.items() if k.startswith('decoder_multi.'))
    assert any(key.startswith('encoder_mf:') for key in conversion.dropped)


def test_sharing_sizes_and_one_interpolation(tmp_path):
    source = folder(tmp_path / 'none', ('small',), shared=())
    conversion = convert_checkpoint('mono-vifi', source, tmp_path / 'out.pth')
    assert conversion.overrides == {
        'model.sharing': 'none',
        'model.test_interpolation': None,
        'model.interpolation.size': 'small',
    }
    source = folder(
        tmp_path / 'all',
        ('large',),
        backbone='LiteMono',
        shared=('encoder_mf', 'depth_mf'),
        height=320,
        width=1024,
    )
    conversion = convert_checkpoint('mono-vifi', source, tmp_path / 'out.pth')
    assert conversion.overrides == {
        'model.sharing': 'all',
        'model.encoder.dilations': 'high',
        'model.test_interpolation': None,
        'model.interpolation.working_size': (192, 320),
    }


@pytest.mark.parametrize('size', ['small', 'large'])
def test_interpolation_alone(size, tmp_path):
    shapes = recipe.shapes('mono_vifi_keys')[f'VFI {size}']
    weights = {key: recipe.tensor(f'VFI_{size}.{key}', shape) for key, shape in shapes.items()}
    save_folder(tmp_path, {'vfi.pth': dict(VFI=weights, epoch=3)})
    conversion = convert_checkpoint('ifrnet', tmp_path / 'vfi.pth', tmp_path / 'out.pth')
    assert set(conversion.dropped) == {'epoch'}
    net = IFRNet(size, pretrained=str(tmp_path / 'out.pth'))
    torch.testing.assert_close(dict(net.state_dict()), weights)
    other = 'large' if size == 'small' else 'small'
    with pytest.raises(CheckpointMismatchError):
        IFRNet(other, pretrained=str(tmp_path / 'out.pth'))


def test_bad_releases(tmp_path):
    def convert(source, kind='mono-vifi'):
        return convert_checkpoint(kind, source, tmp_path / 'out.pth')

    with pytest.raises(FileNotFoundError, match='expected a folder'):
        convert(tmp_path / 'nothing')
    with pytest.raises(ReleaseError, match="entry 'VFI'"):
        convert(folder(tmp_path / 'alone', ()))
    source = folder(tmp_path / 'twice')
    torch.save(official(), source / 'again.pth')
    with pytest.raises(ReleaseError, match='again.pth'):
        convert(source)
    cut = official()
    del cut['fusion_module'], cut['pose']
    source = save_folder(tmp_path / 'cut', {'m.pth': cut, 'v.pth': interpolation('small')})
    with pytest.raises(ReleaseError, match='expected one model'):
        convert(source)
    with pytest.raises(ReleaseError, match='another kind'):
        convert(source / 'm.pth', 'ifrnet')
    strange = dict(VFI={'encoder.pyramid1.0.0.weight': torch.zeros(5, 3, 3, 3)})
    torch.save(strange, source / 'v.pth')
    with pytest.raises(ReleaseError, match='small'):
        convert(source / 'v.pth', 'ifrnet')
