"""What the arguments of `hybrid-depth view` show."""

from pathlib import Path

import pytest

pytest.importorskip('mmdet3d')
pytest.importorskip('rerun')

from hybrid_depth.datasets.nuscenes.names import InfoError  # noqa: E402
from hybrid_depth.errors import ConfigError  # noqa: E402
from hybrid_depth.viewer.session import Options, Source, parse_sources, show  # noqa: E402
from tests.conftest import ROOT  # noqa: E402

CONFIG = ROOT / 'configs/toy/bevdet_plain_toy.py'


def test_sources():
    assert parse_sources(['a.pkl'], None) == (Path('a.pkl'), [])
    runs = [Source(Path('a.json')), Source(CONFIG, Path('b.pth'))]
    names = ['a.json', str(CONFIG), 'b.pth']
    assert parse_sources(names, 'i.pkl') == (Path('i.pkl'), runs)
    infos, [run] = parse_sources(names[1:], None)  # of the test set of the config
    assert infos == Path('data/toy/nuscenes_infos_val.pkl') and run == runs[1]


@pytest.mark.parametrize(
    ('names', 'text'),
    [
        (['a.json', 'b.json', 'c.json'], 'at most 2 runs'),
        (['a.json'], 'expected --infos with the info file of a.json'),
        ([str(CONFIG)], 'expected a checkpoint after the config'),
    ],
)
def test_unsuitable_sources(names, text):
    with pytest.raises(ConfigError, match=text):
        parse_sources(names, 'i.pkl' if len(names) == 3 else None)


def test_a_file_is_written(toy_infos, toy_nuscenes, tmp_path, capsys):
    infos = toy_infos / 'nuscenes_infos_val.pkl'
    show(Options(infos, toy_nuscenes, classes=['car'], limit=1), tmp_path / 'a.rrd')
    assert (tmp_path / 'a.rrd').read_bytes()[:4] == b'RRF2'
    assert [path.name for path in tmp_path.iterdir()] == ['a.rrd']
    assert f'hybrid-depth view {tmp_path / "a.rrd"}' in capsys.readouterr().out


def test_an_unknown_class_is_refused_and_leaves_no_file(toy_infos, toy_nuscenes, tmp_path):
    options = Options(toy_infos / 'nuscenes_infos_val.pkl', toy_nuscenes, classes=['cart'])
    with pytest.raises(InfoError, match="got 'cart'.*car"):
        show(options, tmp_path / 'a.rrd')
    assert not [*tmp_path.iterdir()]
