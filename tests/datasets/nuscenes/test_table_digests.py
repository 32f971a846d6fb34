"""Info files of tables that have changed since."""

import json
import shutil

import pytest

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.datasets.nuscenes.table_digests import changed_tables, table_digests
from hybrid_depth.info_files import read_infos
from tests.datasets.fake_nuscenes import write_fake_nuscenes


@pytest.fixture
def made(tmp_path):
    """Root and metainfo of its info file."""
    root = write_fake_nuscenes(tmp_path / 'root')
    create_nuscenes_infos(root, 'v1.0-mini')
    return root, read_infos(root / 'nuscenes_infos_train.pkl')['metainfo']


@pytest.mark.parametrize('table', ['calibrated_sensor', 'ego_pose', 'sample_annotation', 'sample'])
def test_changed_tables_are_named(made, table):
    """Boxes and calibrations that had been repaired in the tables stayed wrong in the infos."""
    root, metainfo = made
    assert changed_tables(metainfo, root) is None
    path = root / f'v1.0-mini/{table}.json'
    rows = json.loads(path.read_text())
    path.write_text(json.dumps(rows[::-1]))
    said = changed_tables(metainfo, root)
    assert f'{root / "v1.0-mini"} has now: {table}. Make it again' in said
    assert f'--root {root} --version v1.0-mini' in said
    create_nuscenes_infos(root, 'v1.0-mini')
    metainfo = read_infos(root / 'nuscenes_infos_train.pkl')['metainfo']
    assert changed_tables(metainfo, root) is None


def test_copies_and_other_files_do_not_count(made, tmp_path):
    root, metainfo = made
    shutil.copytree(root, tmp_path / 'copy')
    (tmp_path / 'copy/v1.0-mini/attribute.json').write_text('[]')
    assert changed_tables(metainfo, tmp_path / 'copy') is None
    assert changed_tables(metainfo, tmp_path / 'absent') is None
    assert changed_tables(dict(version='v1.0-mini'), root) is None  # of mmdet3d
    assert changed_tables(dict(metainfo, version='../root/v1.0-mini'), root / 'x') is None


def test_large_tables_count_by_size(made, monkeypatch):
    root, _ = made
    before = table_digests(root / 'v1.0-mini')
    monkeypatch.setattr('hybrid_depth.datasets.nuscenes.table_digests._CONTENT_LIMIT', 0)
    by_size = table_digests(root / 'v1.0-mini')
    assert not set(before.values()) & set(by_size.values())
    path = root / 'v1.0-mini/ego_pose.json'
    path.write_text(path.read_text() + ' ')
    changed = {
        name for name, of in table_digests(root / 'v1.0-mini').items() if by_size[name] != of
    }
    assert changed == {'ego_pose'}
