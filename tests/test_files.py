import os
import runpy
import signal
import subprocess
import sys
import unicodedata
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from hybrid_depth import files
from hybrid_depth.files import atomic_file, file_name, remove_leftovers, temporary_folder

PART = '.part-0123456789abcdef'


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


def test_files_get_the_rights_that_others_get(tmp_path):
    (tmp_path / 'other').touch()
    with atomic_file(tmp_path / 'file'):
        pass
    assert (tmp_path / 'file').stat().st_mode == (tmp_path / 'other').stat().st_mode


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    (tmp_path / f'.toy{PART}' / 'scene').mkdir(parents=True)
    (tmp_path / f'.toy{PART}' / 'scene' / 'frame.jpg').touch()
    (tmp_path / f'.metrics.json{PART}').touch()
    kept = [
        f'toy{PART}',
        f'.toy{PART}0',
        f'.toy{PART[:-1]}',
        f'.toy{PART}.txt',
        PART,
        '.toy.part-x',
    ]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / f'.link{PART}').symlink_to(tmp_path / kept[0])
    with atomic_file(tmp_path / 'out', 'w'):
        pass
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, f'.link{PART}', 'out'])


WRITER = """
import sys, time
from hybrid_depth.files import atomic_file, temporary_folder
out = sys.argv[1]
with atomic_file(out + '/file') as file, temporary_folder(out + '/folder') as folder:
    file.write(b'half')
    file.flush()
    (folder / 'part').touch()
    print('writing', flush=True)
    time.sleep(600)
"""


def test_what_a_living_process_writes_is_left_until_it_is_killed(tmp_path):
    """From any process: names have no process id, which containers on a shared disk may share."""
    command = [sys.executable, '-c', WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == 'writing\n'
        before = sorted(os.listdir(tmp_path))
        assert [name.split('.part-')[0] for name in before] == ['.file', '.folder']
        remove_leftovers(tmp_path)
        assert sorted(os.listdir(tmp_path)) == before
        assert (tmp_path / before[1] / 'part').exists()
        writer.send_signal(signal.SIGKILL)
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == []


def test_leftovers_are_searched_once_per_folder(tmp_path):
    """Thousands of files are written into one folder."""
    for name in ('first', 'second'):
        with atomic_file(tmp_path / name):
            pass
        (tmp_path / f'.toy{PART}').touch()
    assert (tmp_path / f'.toy{PART}').exists()


def test_nothing_is_removed_where_nothing_can_be_locked(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(95, 'Operation not supported')

    monkeypatch.setattr(files.fcntl, 'flock', no_locks)
    (tmp_path / f'.toy{PART}').touch()
    with atomic_file(tmp_path / 'file'):
        remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [f'.toy{PART}', 'file']
    monkeypatch.setattr(files, 'fcntl', None)  # as on Windows
    with atomic_file(tmp_path / 'file'), temporary_folder(tmp_path / 'folder'):
        remove_leftovers(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [f'.toy{PART}', 'file']


def test_what_is_removed_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    """Between creation and locking, another process may remove leftovers."""
    flock, removed = files.fcntl.flock, []

    def remove_first(descriptor, how):
        if not removed:
            removed.extend(tmp_path.iterdir())
            removed[0].unlink()
        flock(descriptor, how)

    monkeypatch.setattr(files.fcntl, 'flock', remove_first)
    with atomic_file(tmp_path / 'file', 'w') as file:
        file.write('text')
        remove_leftovers(tmp_path)  # the second one is locked
    assert len(removed) == 1 and (tmp_path / 'file').read_text() == 'text'


def write_number(path: Path, number: int) -> None:
    with atomic_file(path, 'w') as file:
        for _ in range(50):
            file.write(f'{number}\n')
            file.flush()
    assert len(set(path.read_text().split())) == 1  # complete, from any of the writers


@pytest.mark.parametrize('kind', ['threads', 'processes'])
def test_many_write_one_file(tmp_path, kind):
    """Two threads shared a temporary file, and the first to finish moved the other's."""
    path = tmp_path / 'file'
    pools = dict(
        threads=partial(ThreadPoolExecutor, 8),
        processes=partial(ProcessPoolExecutor, 3, get_context('fork')),
    )
    with pools[kind]() as pool:
        list(pool.map(partial(write_number, path), range(60)))
    assert path.read_text().count('\n') == 50 and os.listdir(tmp_path) == ['file']


NAMES = [
    'CAM_FRONT',
    '3e8750f331d7499e9b5123e9eb70f2e2',
    'n015-2018-07-24-11-22-45+0800__CAM_FRONT__1532402927612460',
    '2011_09_26_drive_0002_sync_0000000069_l',
    'IMG (1), copy & more',
    '12:30:01.500',
    'größe',
    '画像',
    'a..b',
    'x' * 180,
]
NO_NAMES = [
    '',
    '.',
    '..',
    '...',
    '/',
    '/etc/passwd',
    'x/../../OUT/evil',
    '../CAM_FRONT',
    '..\\..\\evil',
    'C:\\Windows/system32',
    'a/b',
    'a_b/',
    './a',
    '.hidden',
    '.file.part-0123456789abcdef',
    ' padded ',
    'trailing.',
    'nul\0byte',
    'line\nbreak',
    'tab\t',
    'escape\x1b[2J',
    '\ud800',
    'x' * 181,
    'x' * 5000,
    'é' * 100,
    '画' * 300,
    'a/' * 2000,
    '~root/../x',
    '//server/share',
]


@pytest.mark.parametrize('name', NAMES)
def test_names_stay_as_they_are(name, tmp_path):
    assert file_name(name) == name
    (tmp_path / f'{name}.json').touch()


@pytest.mark.parametrize('text', [*NO_NAMES, None, 3, 2.5, True, b'a', [1], {'a': 1}], ids=ascii)
def test_what_is_no_name_becomes_one(text, tmp_path):
    name = file_name(text)
    folder = tmp_path / 'a' / 'b' / 'c'
    for path in (folder / f'{name}.json', folder / name / name):
        with atomic_file(path, 'w') as file:
            file.write('x')
    (folder / f'000001_{name}.json').touch()
    made = [path for path in tmp_path.rglob('*') if path.is_file()]
    assert len(made) == 3 and all(path.is_relative_to(folder) for path in made)
    assert not name.startswith(('.', '-')) and len(os.fsencode(name)) <= 180
    assert name == file_name(text)


def test_other_texts_give_other_names():
    texts = [*NAMES, *NO_NAMES, 'a_b', '_CAM_FRONT', '_etc_passwd', 'x' * 167, 'a\\b', 'a_b..']
    assert len({file_name(text) for text in texts}) == len(texts)


@pytest.mark.parametrize('text', ['C:evil', 'NUL', 'con.txt', 'com1', 'a<b', 'a|b', 'why?', '*'])
def test_on_windows_fewer_texts_are_names(text, monkeypatch):
    monkeypatch.setattr(os, 'name', 'nt')
    there = runpy.run_path(files.__file__)['file_name']
    assert there(text) != text == file_name(text)
    assert not set(there(text)) & set('<>:"|?*') and there('CAM_FRONT') == 'CAM_FRONT'


def test_names_are_not_changed_on_their_way():
    """Two Unicode forms of an umlaut are two names; readers search the given form."""
    for form in ('NFC', 'NFD'):
        name = unicodedata.normalize(form, 'größe')
        assert file_name(name) == name
