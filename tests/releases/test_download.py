"""Downloads: checked addresses, sizes, hashes and archive members, on a server of this machine."""

import hashlib
import io
import stat
import urllib.error
import zipfile

import pytest

from hybrid_depth.limits import SETTING, TooLargeError
from hybrid_depth.releases.download import DownloadError, fetch, unpack
from tests.releases.local_server import local_server

BODY = b'weights' * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server():
    with local_server() as answers:
        yield answers


def test_a_file_without_a_stated_hash(server, tmp_path):
    path, stated = fetch(server.file('/models/mono.zip', BODY), tmp_path)
    assert path == tmp_path / 'mono.zip' and path.read_bytes() == BODY and stated is None


def test_the_hash_stated_on_the_way_is_checked(server, tmp_path):
    """As Hugging Face does: the redirect to the file has its SHA-256."""
    target = server.file('/storage/7f3a', BODY)
    address = server.redirect('/resolve/encoder.pth', target, X_Linked_Etag=f'"{DIGEST}"')
    path, stated = fetch(address, tmp_path)
    assert path.name == 'encoder.pth' and stated == DIGEST
    address = server.redirect('/resolve/depth.pth', target, X_Linked_Etag=f'"{"0" * 64}"')
    with pytest.raises(DownloadError, match=f'expected sha256 0000.* got {DIGEST}'):
        fetch(address, tmp_path)


@pytest.mark.parametrize(
    'address', ['http://example.com/a.pth', 'file:///etc/passwd', 'ftp://127.0.0.1/a.pth']
)
def test_other_addresses_are_refused(address, server, tmp_path):
    with pytest.raises(DownloadError, match='expected an https address'):
        fetch(address, tmp_path)
    with pytest.raises(
        (DownloadError, urllib.error.HTTPError), match='expected an https|not allowed'
    ):
        fetch(server.redirect('/a.pth', address), tmp_path)


def test_the_file_stays_in_its_folder(server, tmp_path):
    path, _ = fetch(server.file('/a/..%2F..%2Fevil.pth', BODY), tmp_path)
    assert path.parent == tmp_path and path.is_file()


def test_a_page_is_no_file(server, tmp_path):
    address = server.file('/view', b'<html>', Content_Type='text/html; charset=utf-8')
    with pytest.raises(DownloadError, match='got a page'):
        fetch(address, tmp_path)


def test_a_download_that_is_cut_short(server, tmp_path):
    address = server.file('/a.pth', BODY, Content_Length=str(len(BODY) + 1))
    with pytest.raises(DownloadError, match='7001 bytes, got 7000|IncompleteRead'):
        fetch(address, tmp_path)


def test_an_absent_file(server, tmp_path):
    with pytest.raises(urllib.error.URLError, match='404'):
        fetch(server.address + '/absent.pth', tmp_path)


@pytest.mark.parametrize('said', ['2097152', None])
def test_too_large_a_file_is_not_kept_on(said, server, tmp_path, monkeypatch):
    monkeypatch.setenv(SETTING, '1')
    headers = dict(Content_Length=said) if said else dict(Content_Length='')
    address = server.file('/a.pth', bytes(2 << 20), **headers)
    with pytest.raises(TooLargeError):
        fetch(address, tmp_path)


def archive(path, members, damage=None):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as content:
        for name, body in members:
            content.writestr(name, body)
    if damage is not None:
        path.write_bytes(damage(path.read_bytes()))
    return path


def test_only_weights_are_unpacked(tmp_path):
    members = [
        ('mono/', ''),
        ('mono/encoder.pth', b'e'),
        ('mono/depth.pth', b'd'),
        ('mono/run.py', b'print()'),
        ('__MACOSX/._encoder', b''),
    ]
    folder = unpack(archive(tmp_path / 'a.zip', members), tmp_path / 'out')
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        'encoder.pth': b'e',
        'depth.pth': b'd',
    }


def link() -> zipfile.ZipInfo:
    item = zipfile.ZipInfo('encoder.pth')
    item.external_attr = (stat.S_IFLNK | 0o777) << 16
    return item


@pytest.mark.parametrize(
    ('members', 'problem'),
    [
        ([('../evil.pth', b'')], 'below its folder'),
        ([('/evil.pth', b'')], 'below its folder'),
        ([('a/../../evil.pth', b'')], 'below its folder'),
        ([('..\\evil.pth', b'')], 'below its folder'),
        ([('C:evil.pth', b'')], 'below its folder'),
        ([(link(), b'/etc/passwd')], 'below its folder'),
        ([('a/encoder.pth', b'1'), ('b/encoder.pth', b'2')], 'weight files of one model'),
        ([('readme.txt', b'')], 'weight files of one model'),
        ([(f'{i}.pth', b'') for i in range(101)], 'at most 100 files'),
    ],
)
def test_hostile_archives(members, problem, tmp_path):
    (tmp_path / 'in').mkdir()
    path = archive(tmp_path / 'in' / 'a.zip', members)
    with pytest.raises(DownloadError, match=problem):
        unpack(path, tmp_path / 'in' / 'out')
    assert not list((tmp_path / 'in' / 'out').iterdir())
    assert {item.name for item in tmp_path.iterdir()} == {'in'}


def test_an_archive_that_grows(tmp_path, monkeypatch):
    monkeypatch.setenv(SETTING, '1')
    path = archive(tmp_path / 'a.zip', [('encoder.pth', bytes(2 << 20))])
    assert path.stat().st_size < 1 << 13
    with pytest.raises(TooLargeError):
        unpack(path, tmp_path / 'out')


def test_an_archive_that_grows_beyond_what_it_says(tmp_path):
    """The size in the directory is a lie: what is written is no longer than it."""
    good = archive(tmp_path / 'a.zip', [('encoder.pth', bytes(1 << 20))])
    size = (1 << 20).to_bytes(4, 'little')
    good.write_bytes(good.read_bytes().replace(size, (16).to_bytes(4, 'little')))
    with pytest.raises(DownloadError, match='damaged'):
        unpack(good, tmp_path / 'out')
    assert (tmp_path / 'out/encoder.pth').stat().st_size <= 16


@pytest.mark.parametrize(
    'damage', [lambda data: data[:-10], lambda data: b'PK' + data[40:], lambda data: b'']
)
def test_damaged_archives(damage, tmp_path):
    path = archive(tmp_path / 'a.zip', [('encoder.pth', BODY)], damage)
    with pytest.raises(DownloadError, match='damaged'):
        unpack(path, tmp_path / 'out')


def test_damaged_members(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as content:
        content.writestr('encoder.pth', BODY)
    data = buffer.getvalue().replace(b'weightsweights', b'weightsWeights', 1)
    (tmp_path / 'a.zip').write_bytes(data)
    with pytest.raises(DownloadError, match='damaged'):
        unpack(tmp_path / 'a.zip', tmp_path / 'out')
