"""`hybrid-depth create-nuscenes-infos`: options and what is printed."""

import pickle

from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.tools.run import run_tool


def frames(path) -> list[dict]:
    return pickle.loads(path.read_bytes())['data_list']


def test_files_of_the_first_scenes(tmp_path, capsys):
    """Two scenes of mini_train and one of mini_val, three key frames each."""
    root = write_fake_nuscenes(tmp_path / 'root')
    arguments = ('--root', root, '--version', 'v1.0-mini')
    assert run_tool('create_nuscenes_infos.py', *arguments) is None
    assert [len(frames(root / f'nuscenes_infos_{part}.pkl')) for part in ('train', 'val')] == [6, 3]
    said = capsys.readouterr().out
    assert 'nuscenes_infos_train.pkl' in said and 'has no scene' not in said

    options = ('--out', tmp_path / 'out', '--max-scenes', 1)
    assert run_tool('create_nuscenes_infos.py', *arguments, *options) is None
    assert len(frames(tmp_path / 'out/nuscenes_infos_train.pkl')) == 3
