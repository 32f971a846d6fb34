"""The zoo: names, downloads from a server of this machine, conversion at first use, hashes."""

import dataclasses
import json
import zipfile

import pytest
import torch

from hybrid_depth.apis import init_bev_model, init_depth_model
from hybrid_depth.checkpoints import UnsafeCheckpointError, load_checkpoint_file
from hybrid_depth.cli.convert_checkpoint import KINDS
from hybrid_depth.config_files import find_config
from hybrid_depth.errors import ConfigError
from hybrid_depth.releases import zoo
from hybrid_depth.releases.conversion import ReleaseError, sha256
from hybrid_depth.releases.convert import convert_checkpoint
from hybrid_depth.releases.download import DownloadError
from tests.hostile import Calls
from tests.releases.local_server import local_server
from tests.releases.official_files import FOLDER, monodepth2_files, save_folder

NAME = 'monodepth2_mono_640x192'


@pytest.fixture(scope='module')
def official(tmp_path_factory):
    """The released folder in its layout, zeros."""
    folder = tmp_path_factory.mktemp('official') / 'mono_640x192'
    return save_folder(folder, monodepth2_files(draw=False))


@pytest.fixture(scope='module')
def golden(tmp_path_factory):
    """A release with other weights, those of the golden recipe."""
    return save_folder(tmp_path_factory.mktemp('golden') / 'mono_640x192', monodepth2_files())


@pytest.fixture
def server():
    with local_server() as answers:
        yield answers


@pytest.fixture(autouse=True)
def weights(tmp_path, monkeypatch):
    """Empty folder of weights."""
    monkeypatch.setenv('HYBRID_DEPTH_WEIGHTS', str(tmp_path / 'weights'))
    return tmp_path / 'weights'


@pytest.fixture
def published(official, server, monkeypatch):
    """The release at addresses of the local server, one of which states a hash."""
    return publish(official, server, monkeypatch)


def publish(official, server, monkeypatch):
    addresses = []
    for name in FOLDER:
        body = (official / name).read_bytes()
        address = server.file(f'/mono_640x192/{name}', body)
        if name == 'encoder.pth':
            stated = sha256(official / name)
            address = server.redirect('/resolve/encoder.pth', address, X_Linked_Etag=stated)
        addresses.append(address)
    release = dataclasses.replace(zoo.releases()[NAME], files=tuple(addresses))
    monkeypatch.setattr(zoo, 'releases', lambda: {NAME: release})
    return release


def zipped(folder, path):
    with zipfile.ZipFile(path, 'w') as content:
        for file in folder.iterdir():
            content.write(file, f'{folder.name}/{file.name}')
    return path


def test_every_entry_is_complete():
    assert len(zoo.releases()) >= 12
    for name, release in zoo.releases().items():
        assert name.replace('_', '').isalnum() and name == name.lower()
        assert release.kind in KINDS and release.licence and release.source
        assert all(address.startswith('https://') for address in (release.page, *release.files))
        assert find_config(release.model['Config'])
    with pytest.raises(FileNotFoundError):  # a name is no config
        find_config(NAME)


def test_a_model_by_name_is_downloaded_and_converted_once(golden, server, tmp_path, monkeypatch):
    publish(golden, server, monkeypatch)
    model = init_depth_model(NAME)
    convert_checkpoint('monodepth2', golden, tmp_path / 'direct.pth')
    config = 'configs/monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'
    direct = init_depth_model(config, tmp_path / 'direct.pth')
    image = torch.rand(1, 3, 192, 640)
    assert torch.equal(model.predict({0: image}).values, direct.predict({0: image}).values)
    assert model.image_size == (192, 640)
    server.clear()  # the converted files are enough
    assert init_depth_model(NAME).image_size == (192, 640)
    with pytest.raises(ConfigError, match='weights of its own'):
        init_depth_model(NAME, tmp_path / 'direct.pth')


def test_the_record_says_which_hashes_are_the_publishers(published, official):
    path = zoo.download(NAME)
    record = json.loads(published.record.read_text())
    assert record['sha256'] == {name: sha256(official / name) for name in FOLDER}
    assert record['stated_by_the_publisher'] == ['encoder.pth']
    assert record['licence'] == published.licence and record['sources'] == list(published.files)
    assert load_checkpoint_file(path)['meta']['converted_from']['sha256'] == record['sha256']
    assert {file.name for file in path.parent.iterdir()} == {path.name, published.record.name}


@pytest.mark.parametrize('kind', ['folder', 'zip', 'address'])
def test_a_release_downloaded_by_hand(kind, official, server, tmp_path):
    archive = zipped(official, tmp_path / 'mono_640x192.zip')
    source = dict(
        folder=official,
        zip=archive,
        address=server.file('/mono_640x192.zip', archive.read_bytes()),
    )[kind]
    checkpoint = load_checkpoint_file(zoo.download(NAME, source))
    assert len(checkpoint['meta']['converted_from']['sha256']) == 4
    assert json.loads(zoo.releases()[NAME].record.read_text())['stated_by_the_publisher'] == []


def test_without_an_address_the_error_names_the_page():
    with pytest.raises(ConfigError, match=r'by hand from https://github.com/nianticlabs.*--from'):
        init_depth_model(NAME)
    with pytest.raises(ConfigError, match='by hand from .*BEVDet.*bevdet_r50_cbgs --from'):
        init_bev_model('bevdet_r50_cbgs')
    with pytest.raises(ConfigError, match=f'names are .*{NAME}'):
        zoo.download('monodepth3')


def test_later_downloads_must_equal_the_first(published, official, golden):
    path = zoo.download(NAME)
    before = path.read_bytes()
    with pytest.raises(DownloadError, match='expected the files of the first download'):
        zoo.download(NAME, golden)
    assert path.read_bytes() == before
    path.unlink()
    assert zoo.download(NAME, official).is_file()


def test_failed_downloads_leave_nothing(published, official, weights, server, tmp_path):
    broken = save_folder(tmp_path / 'broken', dict(monodepth2_files(draw=False)))
    torch.save(dict(weight=Calls(print)), broken / 'encoder.pth')
    with pytest.raises(UnsafeCheckpointError):
        zoo.download(NAME, broken)
    (broken / 'depth.pth').unlink()
    torch.save(dict(weight=torch.zeros(1)), broken / 'encoder.pth')
    with pytest.raises((ReleaseError, FileNotFoundError)):
        zoo.download(NAME, broken)
    server.file('/mono_640x192/encoder.pth', b'replaced by others')
    with pytest.raises(DownloadError, match='as its publisher states'):
        zoo.download(NAME)
    assert not list((weights / 'zoo').iterdir())


def test_a_record_cannot_name_a_config_elsewhere(published, tmp_path):
    """Configs run as code."""
    zoo.download(NAME)
    record = json.loads(published.record.read_text())
    (tmp_path / 'evil.py').write_text(f'open({str(tmp_path / "ran")!r}, "w")\nmodel = dict()\n')
    for config in (tmp_path / 'evil.py', '../../../evil.py'):
        published.record.write_text(json.dumps(dict(record, config=str(config))))
        with pytest.raises(ConfigError, match='expected a shipped config'):
            init_depth_model(NAME)
    assert not (tmp_path / 'ran').exists()
