import hashlib
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from hybrid_depth.errors import DamagedFileError, HybridDepthError, OutputInUseError
from hybrid_depth.toy_world import api, make_toy_world, open_toy_world
from hybrid_depth.toy_world.tusimple_layout import TuSimpleLayout

TINY = dict(scenes=2, keyframes=1, size=(64, 36), workers=1, layout='tusimple')


def digest(root) -> dict[str, str]:
    paths = [path for path in sorted(root.rglob('*')) if path.is_file()]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def test_equal_bytes_with_any_number_of_workers(toy_nuscenes, toy_kitti, toy_lanes, tmp_path):
    for made in (toy_nuscenes, toy_kitti, toy_lanes):
        layout, world = open_toy_world(made)
        out = tmp_path / layout
        make_toy_world(out, world.scenes, world.keyframes, world.size, world.seed, 1, layout)
        assert digest(out) == digest(made)


def test_another_seed_gives_another_world(tmp_path):
    first = digest(make_toy_world(tmp_path / 'first', **TINY))
    assert digest(make_toy_world(tmp_path / 'again', **TINY)) == first
    other = digest(make_toy_world(tmp_path / 'other', seed=1, **TINY))
    assert other.keys() == first.keys()
    assert not set(other.values()) & set(first.values())


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(layout='coco'), "layout out of nuscenes, kitti, tusimple, rig, got 'coco'"),
        (dict(workers=0), 'at least one worker, got 0'),
        (dict(scenes=1), 'got 1 scenes with 1 keyframes'),
        (dict(keyframes=0), 'got 2 scenes with 0 keyframes'),
        (dict(size=(64, 20)), 'at least 32 x 32 pixels, got 64 x 20'),
        (dict(seed=-1), 'seed of 0 or more, got -1'),
        (dict(layout='nuscenes', scenes=11), 'at most 10 scenes, got 11'),
        (dict(layout='kitti', scenes=10_000), 'at most 9999 scenes, got 10000'),
    ],
)
def test_bad_arguments_are_rejected_before_writing(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        make_toy_world(tmp_path / 'out', **{**TINY, **wrong})
    assert os.listdir(tmp_path) == []


def test_only_toy_worlds_are_replaced(tmp_path):
    out = tmp_path / 'out'
    out.mkdir()
    make_toy_world(out, **TINY)  # an empty folder is fine
    (out / api.PREVIEW).touch()  # of the same tool
    make_toy_world(out, **TINY)
    assert not (out / api.PREVIEW).exists()
    own = tmp_path / 'photos'
    own.mkdir()
    (own / 'wedding.jpg').touch()
    with pytest.raises(FileExistsError, match='photos exists and is not a toy world'):
        make_toy_world(own, **TINY)
    assert sorted(os.listdir(tmp_path)) == ['out', 'photos']
    assert os.listdir(own) == ['wedding.jpg']


@pytest.mark.parametrize(
    'change',
    [dict(keyframes=2), dict(seed=1), dict(size=(64, 40)), dict(scenes=3), dict(layout='kitti')],
)
def test_a_kept_world_has_the_same_parameters(tmp_path, change, capsys):
    """`make demo` trained on whatever toy world was there."""
    out = make_toy_world(tmp_path / 'out', **TINY)
    before = {path: path.stat().st_mtime_ns for path in out.rglob('*')}
    make_toy_world(out, keep=True, **TINY)
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob('*')}
    (out / 'notes.txt').write_text('mine')
    make_toy_world(out, keep=True, **TINY)  # other files are no matter then
    with pytest.raises(OutputInUseError, match='notes'):
        make_toy_world(out, keep=True, **{**TINY, **change})
    assert f'differ: {next(iter(change))}' in capsys.readouterr().out
    (out / 'notes.txt').unlink()
    make_toy_world(out, keep=True, **{**TINY, **change})
    assert digest(out) == digest(make_toy_world(tmp_path / 'new', **{**TINY, **change}))


def test_worlds_that_lack_a_file_or_are_of_another_version_are_not_kept(tmp_path, monkeypatch):
    out = make_toy_world(tmp_path / 'out', **TINY)
    whole = digest(out)
    (out / 'train_label_data.json').unlink()
    make_toy_world(out, keep=True, **TINY)
    assert digest(out) == whole
    monkeypatch.setattr(api, '_generator', lambda: 'of another version')
    make_toy_world(out, keep=True, **TINY)
    assert digest(out).keys() == whole.keys() and digest(out) != whole


OWN_FILES = [
    'nuscenes_infos_train.pkl',
    'notes.txt',
    '.hidden',
    'clips/0001/1/mine.jpg',
    'clips/other/20.jpg',
    'gt/toy/export.json',
    'toy_world.json.bak',
    'a b',
]


@pytest.mark.parametrize('name', OWN_FILES)
def test_files_of_the_user_are_kept(tmp_path, name):
    """They went with the older toy world, without a word."""
    out = make_toy_world(tmp_path / 'out', **TINY)
    own = out / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text('mine')
    before = digest(out)
    with pytest.raises(OutputInUseError, match=f'out has 1 files.*such as {name}: move them'):
        make_toy_world(out, **TINY)
    assert digest(out) == before and os.listdir(tmp_path) == ['out']


def test_links_and_files_that_come_meanwhile_are_kept(tmp_path, monkeypatch):
    out = make_toy_world(tmp_path / 'out', **TINY)
    (out / 'data').symlink_to(tmp_path)
    with pytest.raises(OutputInUseError, match='such as data'):
        make_toy_world(out, **TINY)
    (out / 'data').unlink()
    finish = TuSimpleLayout.finish

    def meanwhile(*args):
        (out / 'notes.txt').write_text('mine')
        finish(*args)

    monkeypatch.setattr(TuSimpleLayout, 'finish', meanwhile)
    with pytest.raises(OutputInUseError, match='such as notes.txt'):
        make_toy_world(out, seed=1, **TINY)
    assert (out / 'notes.txt').read_text() == 'mine' and open_toy_world(out)[1].seed == 0
    assert os.listdir(tmp_path) == ['out']


def test_a_marker_that_is_damaged_meanwhile_costs_nothing(tmp_path, monkeypatch):
    out = make_toy_world(tmp_path / 'out', **TINY)
    finish = TuSimpleLayout.finish

    def meanwhile(*args):
        (out / api.MARKER).write_text('{')
        finish(*args)

    monkeypatch.setattr(TuSimpleLayout, 'finish', meanwhile)
    with pytest.raises(DamagedFileError, match='out/toy_world.json: expected.*remove the folder'):
        make_toy_world(out, **TINY)
    assert (out / 'train_label_data.json').exists() and os.listdir(tmp_path) == ['out']


@pytest.mark.parametrize('target', ['empty', 'toy', 'absent'])
def test_a_link_stays_a_link(tmp_path, target):
    """The second run moved the link away and failed on removing it."""
    place, link = tmp_path / 'disk' / target, tmp_path / 'toy'
    if target != 'absent':
        place.mkdir(parents=True)
    if target == 'toy':
        make_toy_world(place, **TINY)
    link.symlink_to(place)
    assert make_toy_world(link, seed=1, **TINY) == link
    assert link.is_symlink() and open_toy_world(place)[1].seed == 1
    assert sorted(os.listdir(tmp_path)) == ['disk', 'toy'] and os.listdir(place.parent) == [target]


def test_a_link_to_files_of_the_user_is_refused(tmp_path):
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'wedding.jpg').touch()
    (tmp_path / 'toy').symlink_to(tmp_path / 'photos')
    with pytest.raises(OutputInUseError, match='photos exists and is not a toy world'):
        make_toy_world(tmp_path / 'toy', **TINY)
    assert os.listdir(tmp_path / 'photos') == ['wedding.jpg']


@pytest.mark.parametrize(
    'marker', ['', '{', '[]', 'null', '{}', '{"files": 3}', '{"files": {"a": 1}}', 'seed: 0']
)
def test_a_damaged_or_older_marker(tmp_path, marker):
    out = make_toy_world(tmp_path / 'out', **TINY)
    (out / api.MARKER).write_text(marker)
    before = digest(out)
    with pytest.raises(HybridDepthError, match='damaged file; remove|older version.*remove'):
        make_toy_world(out, **TINY)
    assert digest(out) == before


def test_a_world_that_cannot_be_moved_leaves_the_older_one(tmp_path, monkeypatch):
    out = make_toy_world(tmp_path / 'out', **TINY)
    before, rename = digest(out), Path.rename

    def no_space(path, target):
        if '.part-' in path.name and Path(target) == out:
            raise OSError('no space')
        return rename(path, target)

    monkeypatch.setattr(Path, 'rename', no_space)
    with pytest.raises(OSError, match='no space'):
        make_toy_world(out, seed=1, **TINY)
    assert digest(out) == before and os.listdir(tmp_path) == ['out']


def test_a_failure_leaves_the_older_world(tmp_path, monkeypatch):
    out = make_toy_world(tmp_path / 'out', **TINY)
    before = digest(out)

    def full(*args):
        raise OSError('disk full')

    monkeypatch.setattr(TuSimpleLayout, 'finish', full)
    with pytest.raises(OSError, match='disk full'):
        make_toy_world(out, seed=1, **TINY)
    assert digest(out) == before and os.listdir(tmp_path) == ['out']


def test_next_run_removes_leftovers_of_a_killed_one(tmp_path, monkeypatch):
    out = tmp_path / 'out'
    with monkeypatch.context() as patch:
        patch.setattr(TuSimpleLayout, 'finish', lambda *args: os.kill(os.getpid(), signal.SIGKILL))
        run = multiprocessing.get_context('fork').Process(
            target=make_toy_world, args=(out,), kwargs=TINY
        )
        run.start()
        run.join()
    assert run.exitcode == -signal.SIGKILL
    parts = list(tmp_path.glob('.out.part-*'))
    assert sum(any(part.iterdir()) for part in parts) == 1
    make_toy_world(out, **TINY)
    assert os.listdir(tmp_path) == ['out']


def test_a_folder_without_a_toy_world(tmp_path):
    with pytest.raises(FileNotFoundError, match=api.MARKER):
        open_toy_world(tmp_path)
