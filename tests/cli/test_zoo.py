"""`hybrid-depth zoo`."""

import pytest

from tests.conftest import ROOT
from tests.releases.official_files import monodepth2_files, save_folder
from tests.tools.run import run_tool

NAME = 'monodepth2_mono_640x192'


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    monkeypatch.setenv('HYBRID_DEPTH_WEIGHTS', str(tmp_path / 'weights'))


def test_download_and_use(tmp_path, capsys):
    folder = save_folder(tmp_path / 'mono_640x192', monodepth2_files(draw=False))
    assert run_tool('zoo.py', 'download', NAME, '--from', folder) is None
    output = capsys.readouterr().out
    checkpoint = tmp_path / 'weights/zoo' / f'{NAME}.pth'
    assert 'non-commercial' in output and f'wrote {checkpoint}' in output
    assert output.count('recorded at the first download') == 4 and checkpoint.is_file()
    assert run_tool('zoo.py', 'list') is None
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(NAME)]
    assert 'converted' in row
    image = ROOT / 'docs/bev_depth.png'
    arguments = [image, tmp_path / 'out', '--config', NAME, '--scale', '5.4']
    assert run_tool('infer_depth.py', *arguments) is None
    assert (tmp_path / 'out/depth/bev_depth.npy').is_file()


def test_mistakes_are_one_sentence(tmp_path):
    assert 'by hand from https://github.com/' in run_tool('zoo.py', 'download', NAME)
    assert 'names are' in run_tool('zoo.py', 'download', 'absent')
    assert 'zoo list' in run_tool('zoo.py', 'info', 'absent')
    error = run_tool('zoo.py', 'download', NAME, '--from', 'http://example.com/mono.zip')
    assert error == 'error: expected an https address, got http://example.com/mono.zip'
    error = run_tool('zoo.py', 'download', NAME, '--from', tmp_path / 'absent.zip')
    assert error.startswith('error: ') and 'absent.zip' in error


def test_info_and_page(tmp_path, capsys):
    assert run_tool('zoo.py', 'info', 'bevdet_hybrid') is None
    assert 'parameters: 251.76 M' in capsys.readouterr().out
    assert run_tool('zoo.py', 'page', tmp_path / 'page') is None
    assert (tmp_path / 'page').read_text() == (ROOT / 'docs/zoo.md').read_text()
