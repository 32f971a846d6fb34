"""Small files that would fill the memory, and files that say they are larger than they are."""

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import nuscenes.utils.map_mask  # noqa: F401  (switches Pillow's limit off)
import pytest
import torch
from PIL import Image

from hybrid_depth.array_files import read_arrays
from hybrid_depth.bev.transforms.lidar_depth import load_sweep
from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.datasets.depth_map_files import read_depth_png, read_pseudo_depth
from hybrid_depth.datasets.image_files import image_size, open_image
from hybrid_depth.datasets.kitti.splits import read_split
from hybrid_depth.datasets.kitti.velodyne import read_velodyne
from hybrid_depth.depth.evaluation.files import DepthMaps, read_depth_map
from hybrid_depth.depth.evaluation.pose_metrics import read_motions, read_poses
from hybrid_depth.info_files import read_infos
from hybrid_depth.limits import SETTING, TooLargeError, check_size, max_bytes
from hybrid_depth.text_files import read_json, read_text
from tests.borders.refusal import refused


def png_of(width, height, bits=1, color=0):
    """A PNG that says it has that size, of 100 bytes."""

    def chunk(kind, data):
        return (
            struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        )

    header = struct.pack('>IIBBBBB', width, height, bits, color, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    parts = chunk(b'IHDR', header) + chunk(b'IDAT', body) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + parts


IMAGES = {
    'grey of 1 bit': png_of(60000, 60000),
    'rgb': png_of(40000, 40000, 8, 2),
    '16 bit': png_of(30000, 30000, 16, 0),
    'one row': png_of(2**30, 1),
    'one column': png_of(1, 2**30),
    'as large as can be': png_of(2**31 - 1, 2**31 - 1),
}


@pytest.mark.parametrize('case', IMAGES)
def test_images(tmp_path, monkeypatch, case):
    """Refused by the header: nothing is decoded."""
    path = tmp_path / 'bomb.png'
    path.write_bytes(IMAGES[case])
    monkeypatch.setattr(Image.Image, 'convert', None)
    for read in (open_image, image_size, read_depth_png, read_pseudo_depth):
        with refused('bomb.png'):
            read(path)


@pytest.mark.parametrize('suffix', ['bmp', 'tif', 'webp', 'jpg'])
def test_other_kinds_of_images(tmp_path, monkeypatch, suffix):
    path = tmp_path / f'a.{suffix}'
    Image.new('RGB', (600, 600)).save(path)
    assert open_image(path).size == (600, 600)
    monkeypatch.setenv(SETTING, '10')  # 600 x 600 x 4 bytes of 10 / 8 MiB
    with refused(path.name, f'{SETTING}=11'):
        open_image(path)
    monkeypatch.setenv(SETTING, '11')
    assert open_image(path).size == (600, 600)


def npy(shape, dtype='<f4', content=b'', version=(1, 0)):
    header = str(dict(descr=dtype, fortran_order=False, shape=shape)).encode()
    length = struct.pack('<H' if version == (1, 0) else '<I', len(header))
    return b'\x93NUMPY' + bytes(version) + length + header + content


def npz(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(f'{number}.npy', member)
    return file.getvalue()


ARRAYS = {
    'npy of 4 TB': ('a.npy', npy((10**6, 10**6))),
    'npy of 4 TB, version 2': ('a.npy', npy((10**6, 10**6), version=(2, 0))),
    'npy cut short': ('a.npy', npy((4, 4), content=bytes(60))),
    'negative shape': ('a.npy', npy((-4, 4), content=bytes(64))),
    'shape that overflows': ('a.npy', npy((2**40, 2**40))),
    'long texts': ('a.npy', npy((10**3, 10**3), '<U1000000')),
    'header of text': ('a.npy', npy('x')),
    'header that is code': ('a.npy', npy("__import__('os').system('true')")),
    'no array': ('a.npy', b'text'),
    'empty': ('a.npy', b''),
    'npz of 4 TB': ('a.npz', npz(npy((10**6, 10**6)))),
    'npz, second member': ('a.npz', npz(npy((2, 2), content=bytes(16)), npy((10**9, 9)))),
    'npz cut short': ('a.npz', npz(npy((4, 4), content=bytes(64)))[:-30]),
    'no zip': ('a.npz', b'PK\x03\x04 no zip'),
    'empty zip': ('a.npz', b''),
}


@pytest.mark.parametrize('case', ARRAYS)
def test_arrays(tmp_path, case):
    name, content = ARRAYS[case]
    (tmp_path / name).write_bytes(content)
    for read in (read_arrays, read_depth_map, DepthMaps):
        with refused(name):
            read(tmp_path / name)
    if name == 'a.npy':
        with refused(name):
            read_motions(tmp_path / name)


def test_zip_members_that_grow(tmp_path, monkeypatch):
    """3 kB on disk, 3 MiB in memory."""
    monkeypatch.setenv(SETTING, '2')
    one = npy((2**18,), content=bytes(2**20))
    (tmp_path / 'a.npz').write_bytes(npz(one, one, one))
    assert (tmp_path / 'a.npz').stat().st_size < 10_000
    with refused('a.npz', f'{SETTING}=4'):
        read_arrays(tmp_path / 'a.npz')
    monkeypatch.setenv(SETTING, '4')
    assert len(read_arrays(tmp_path / 'a.npz')) == 3


def test_a_zip_that_understates_its_members(tmp_path):
    content = bytearray(npz(npy((2**18,), content=bytes(2**20))))
    place = content.rindex(b'PK\x01\x02') + 24  # uncompressed size in the directory
    content[place : place + 4] = struct.pack('<I', 100)
    (tmp_path / 'a.npz').write_bytes(content)
    with refused('a.npz'):
        read_arrays(tmp_path / 'a.npz')


def test_good_arrays_pass(tmp_path):
    value = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / 'a.npy', value)
    np.savez_compressed(tmp_path / 'b.npz', x=value, y=value.astype('>f4').T)
    np.save(tmp_path / 'c.npy', np.array([value, value[:2]], dtype=object), allow_pickle=True)
    assert (read_arrays(tmp_path / 'a.npy')['a'] == value).all()
    assert set(read_arrays(tmp_path / 'b.npz')) == {'x', 'y'}
    assert [len(one) for one in read_arrays(tmp_path / 'c.npy')['c']] == [3, 2]


READERS = {
    'a.pcd.bin': lambda path: load_sweep(str(path), 5),
    'a.bin': read_velodyne,
    'a.json': read_json,
    'a.txt': read_text,
    'infos.pkl': read_infos,
    'infos.json': read_infos,
    'poses.txt': read_poses,
    'split.txt': read_split,
    'a.npy': read_arrays,
    'a.npz': read_arrays,
}


@pytest.mark.parametrize('name', READERS)
def test_files_of_a_terabyte_of_nothing(tmp_path, name):
    """Sparse files, which take no space on disk."""
    with open(tmp_path / name, 'wb') as file:
        file.truncate(2**40)
    with refused(name, SETTING):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize(
    ('content', 'word'),
    [
        (b'[' * 100_000, 'JSON'),
        (b'{"a":' * 100_000, 'JSON'),
        (b'', 'JSON'),
        (b'[1]', 'dict'),
        (b'3', 'dict'),
        (b'null', 'dict'),
        (b'{"a": 1', 'JSON'),
        (b"{'a': 1}", 'JSON'),
        ('{"a": 1}'.encode('utf-16'), 'UTF-8'),
        (b'\xff\xfe\x00', 'UTF-8'),
        (b'\x80\x04K\x01.', 'UTF-8'),
        (b'a: 1', 'JSON'),
        (b'9' * 5000, 'JSON'),
    ],
)
def test_json_of_other_kinds(tmp_path, content, word):
    (tmp_path / 'a.json').write_bytes(content)
    with refused('a.json', word):
        read_json(tmp_path / 'a.json')


def test_byte_order_marks_are_no_part_of_the_text(tmp_path):
    (tmp_path / 'a.json').write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / 'a.json') == dict(a=1)


def test_checkpoints_that_grow(tmp_path):
    """torch stores its records as they are; a compressed one of zeros is a thousandth."""
    torch.save(dict(x=torch.zeros(2**18)), tmp_path / 'good.pth')
    assert load_checkpoint_file(tmp_path / 'good.pth')['x'].sum() == 0
    with (
        zipfile.ZipFile(tmp_path / 'good.pth') as good,
        zipfile.ZipFile(tmp_path / 'bomb.pth', 'w', zipfile.ZIP_DEFLATED) as bomb,
    ):
        for member in good.namelist():
            bomb.writestr(member, good.read(member))
    with refused('bomb.pth', 'stored as they are'):
        load_checkpoint_file(tmp_path / 'bomb.pth')


@pytest.mark.parametrize('value', ['', '0', '-5', 'many', '1.5', '³', '4 096'])
def test_settings_that_are_none(monkeypatch, value):
    monkeypatch.setenv(SETTING, value)
    with refused(SETTING, repr(value)):
        max_bytes()


def test_the_limit_is_generous(tmp_path):
    check_size(4 << 30, 'a')
    with pytest.raises(TooLargeError):
        check_size((4 << 30) + 1, 'a')
    (tmp_path / 'a.json').write_text(json.dumps(dict(a=list(range(10_000)))))
    assert len(read_json(tmp_path / 'a.json')['a']) == 10_000
