import hashlib
import multiprocessing
import os
import signal

import pytest

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
        (dict(layout='coco'), "layout out of nuscenes, kitti, tusimple, got 'coco'"),
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
    make_toy_world(out, **TINY)  # an empty folder is accepted
    (out / 'nuscenes_infos_train.pkl').touch()
    make_toy_world(out, **TINY)
    assert not (out / 'nuscenes_infos_train.pkl').exists()
    folder_of_photos = tmp_path / 'photos'
    folder_of_photos.mkdir()
    (folder_of_photos / 'wedding.jpg').touch()
    with pytest.raises(FileExistsError, match='photos exists and is not a toy world'):
        make_toy_world(folder_of_photos, **TINY)
    assert sorted(os.listdir(tmp_path)) == ['out', 'photos']
    assert os.listdir(folder_of_photos) == ['wedding.jpg']


def test_a_failure_keeps_the_older_world(tmp_path, monkeypatch):
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
    (part,) = tmp_path.glob('.out.part-*')
    assert any(part.iterdir())
    make_toy_world(out, **TINY)
    assert os.listdir(tmp_path) == ['out']


def test_a_folder_without_a_toy_world(tmp_path):
    with pytest.raises(FileNotFoundError, match=api.MARKER):
        open_toy_world(tmp_path)
