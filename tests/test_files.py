import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_depth import files
from hybrid_depth.files import atomic_file, temporary_beside


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    return process.pid


def leftover(path: Path, pid: int) -> Path:
    """Temporary path of another process on this machine."""
    name = temporary_beside(path).name
    assert name.endswith(f'-{os.getpid()}')
    files._remove_leftovers.cache_clear()
    return path.with_name(name.removesuffix(str(os.getpid())) + str(pid))


def test_file_is_complete_or_unchanged(tmp_path):
    path = tmp_path / 'folder' / 'file'
    with atomic_file(path, 'w') as file:
        file.write('first')
        assert not path.exists()
    with pytest.raises(KeyboardInterrupt), atomic_file(path, 'w') as file:
        file.write('second')
        raise KeyboardInterrupt
    assert path.read_text() == 'first'
    assert os.listdir(path.parent) == ['file']


def test_only_leftovers_of_dead_processes_are_removed(tmp_path):
    path, dead = tmp_path / 'toy', dead_process()
    part = leftover(path, dead)
    part.mkdir()
    (part / 'frame.jpg').touch()
    part.with_name(part.name + '-old').mkdir()
    leftover(tmp_path / 'metrics.json', dead).touch()
    kept = [
        leftover(path, os.getppid()),
        path.with_name(f'.toy.part-otherhost-1-{dead}'),
        path.with_name(f'.toy.{dead}'),
        path.with_name(part.name.removeprefix('.')),
        path,
    ]
    for other in kept:
        other.touch()
    with atomic_file(tmp_path / 'out', 'w'):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / 'out'])


def test_a_folder_is_searched_once(tmp_path):
    """Thousands of files may be written to one folder."""
    part = leftover(tmp_path / 'toy', dead_process())
    temporary_beside(tmp_path / 'first')
    part.touch()
    temporary_beside(tmp_path / 'second')
    assert part.exists()
