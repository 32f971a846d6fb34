import json
import pickle

import mmengine
import numpy as np
import pytest
import yaml

from hybrid_depth.errors import DamagedFileError, HybridDepthError, UnsafeFileError
from hybrid_depth.info_files import read_infos
from tests.hostile import payloads


def published() -> dict:
    """Info file as written by mmdet3d's converter: with numpy numbers, booleans and strings."""
    box = dict(bbox_3d=[0.0] * 7, bbox_label_3d=0, num_lidar_pts=np.int64(3))
    box.update(bbox_3d_isvalid=np.bool_(True), velocity=[np.nan, np.nan])
    sample = dict(sample_idx=0, token='a', ego2global=np.eye(4).tolist(), instances=[box])
    categories = {'car': 0, np.str_('animal'): -1}
    return dict(metainfo=dict(categories=categories, version='v1.0-mini'), data_list=[sample])


@pytest.mark.parametrize('numpy_of', [b'numpy.core', b'numpy._core'])
def test_published_files_are_read(tmp_path, numpy_of):
    path = tmp_path / 'infos.pkl'
    mmengine.dump(published(), path)
    written = path.read_bytes()
    path.write_bytes(
        written.replace(b'cnumpy._core.', b'c@.')
        .replace(b'cnumpy.core.', b'c@.')
        .replace(b'c@.', b'c' + numpy_of + b'.')
    )
    for content in (read_infos(path), mmengine.load(path)):
        box = content['data_list'][0]['instances'][0]
        assert box['num_lidar_pts'] == 3 and box['bbox_3d_isvalid'].dtype == bool
        assert content['metainfo']['categories'] == {'car': 0, 'animal': -1}


def test_old_files_with_arrays_are_read(tmp_path):
    """mmdet3d before 1.1, and its ground-truth database: not info files, but read by transforms."""
    infos = dict(infos=[dict(gt_boxes=np.ones((2, 7)), gt_names=np.array(['car', 'bus']))])
    mmengine.dump(infos, tmp_path / 'old.pkl')
    loaded = mmengine.load(tmp_path / 'old.pkl')['infos'][0]
    assert loaded['gt_names'].tolist() == ['car', 'bus'] and loaded['gt_boxes'].shape == (2, 7)
    with pytest.raises(DamagedFileError, match=r"old.pkl: expected.*got a dict of \['infos'\]"):
        read_infos(tmp_path / 'old.pkl')


def test_json_is_read_too(tmp_path):
    content = dict(metainfo={}, data_list=[dict(token='a')])
    (tmp_path / 'infos.json').write_text(json.dumps(content))
    assert read_infos(tmp_path / 'infos.json') == content


@pytest.mark.parametrize('ending', ['pkl', 'pickle'])
@pytest.mark.parametrize('name', ['system', 'exec', 'Path.touch', 'memmap'])
def test_code_in_an_info_file_is_not_run(tmp_path, name, ending):
    marker, path = tmp_path / 'code-has-run', tmp_path / f'infos.{ending}'
    path.write_bytes(pickle.dumps(dict(published(), x=payloads(marker)[name])))
    with pytest.raises(UnsafeFileError, match=rf'infos.{ending}: expected numbers.*do not trust'):
        read_infos(path)
    with pytest.raises(UnsafeFileError), open(path, 'rb') as file:
        mmengine.load(file, file_format=ending)
    assert not marker.exists()


YAMLS = [
    '!!python/object/apply:os.system ["touch {marker}"]',
    '!!python/object/new:os.system ["touch {marker}"]',
    '!!python/name:os.system',
    '!!python/module:os',
    '!!python/object:pathlib.PosixPath {{}}',
    '!!python/object/apply:builtins.exec ["open({marker!r}, \'w\')"]',
    '!!python/object/new:type {{args: [x, !!python/tuple [], {{extend: !!python/name:exec }}]}}',
]


@pytest.mark.parametrize('text', YAMLS)
def test_code_in_yaml_is_not_run(tmp_path, text):
    """mmengine reads YAML with PyYAML's unsafe loader."""
    marker, path = tmp_path / 'code-has-run', tmp_path / 'infos.yaml'
    path.write_text('metainfo: {}\ndata_list: ' + text.format(marker=str(marker)))
    with pytest.raises(UnsafeFileError, match='infos.yaml: expected.*YAML with.*do not trust'):
        read_infos(path)
    assert not marker.exists()


def test_the_yaml_is_real(tmp_path):
    marker = tmp_path / 'code-has-run'
    yaml.load(YAMLS[0].format(marker=str(marker)), yaml.UnsafeLoader)
    assert marker.exists()


def test_yaml_with_tuples_is_read(tmp_path):
    mmengine.dump(dict(size=(1, 2), a=[0.5]), tmp_path / 'a.yml')
    assert mmengine.load(tmp_path / 'a.yml') == dict(size=(1, 2), a=[0.5])


ODD = [
    None,
    3,
    'infos',
    [],
    [dict(token='a')],
    {},
    dict(metainfo={}),
    dict(data_list=[]),
    dict(metainfo=None, data_list=[]),
    dict(metainfo=[], data_list=[]),
    dict(metainfo={}, data_list={}),
    dict(metainfo={}, data_list=np.arange(3)),
    dict(metainfo={}, data_list=[1]),
    dict(metainfo={}, data_list=[{}, None]),
    dict(metainfo={}, data_list=[[{}]]),
    {1: 2, b'a': 3, None: 4},
]


@pytest.mark.parametrize('content', ODD, ids=str)
def test_pickles_of_other_things_are_named(tmp_path, content):
    path = tmp_path / 'infos.pkl'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DamagedFileError, match='infos.pkl: expected an info file.*make it with'):
        read_infos(path)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('infos.pkl', b''),
        ('infos.pkl', b'\x80\x04\x95'),
        ('infos.pkl', b'not a pickle'),
        ('infos.json', b''),
        ('infos.json', b'{"metainfo": {}, "data_list": ['),
        ('infos.json', b'\xff\xfe\x00'),
        ('infos.yaml', b'a: [1, 2'),
        ('infos.yaml', b'\x00\x01'),
        ('infos.txt', b'some text'),
        ('infos', b'some text'),
        ('infos.npz', b'PK'),
    ],
)
def test_damaged_and_other_files_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HybridDepthError, match=rf'{name}: expected'):
        read_infos(tmp_path / name)


def test_absent_files_and_folders(tmp_path):
    for path in (tmp_path, tmp_path / 'absent.pkl'):
        with pytest.raises(FileNotFoundError, match='create-nuscenes-infos'):
            read_infos(path)


def test_json_nested_too_deeply(tmp_path):
    (tmp_path / 'a.json').write_text('[' * 100_000)
    with pytest.raises(DamagedFileError, match=r'a\.json'):
        read_infos(tmp_path / 'a.json')
