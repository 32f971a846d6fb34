"""Generation of a toy world on disk.

Frames are rendered in worker processes; the finished folder is moved into place.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ..files import temporary_beside
from .kitti_layout import KittiLayout
from .layout import Layout
from .nuscenes_layout import NuScenesLayout
from .tusimple_layout import TuSimpleLayout
from .world import World

LAYOUTS: dict[str, type[Layout]] = {
    'nuscenes': NuScenesLayout,
    'kitti': KittiLayout,
    'tusimple': TuSimpleLayout,
}
#: Marker file of a finished toy world, with its parameters.
MARKER = 'toy_world.json'


def make_toy_world(
    out: str | os.PathLike,
    scenes: int = 10,
    keyframes: int = 10,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    workers: int = 2,
    layout: str = 'nuscenes',
    sweeps: int = 0,
) -> Path:
    """Generates a toy world; equal arguments give equal bytes with any number of ``workers``.

    Args:
        out: output folder; an older toy world in it is replaced.
        scenes: number of scenes (drives).
        keyframes: 2 Hz keyframes per scene; KITTI has five frames per keyframe.
        size: width and height of the images, pixels; None for the layout's default.
        seed: seed of all random choices.
        workers: number of rendering processes.
        layout: 'nuscenes' (v1.0-mini root), 'kitti' (KITTI raw tree) or 'tusimple' (lane labels).
        sweeps: nuScenes: camera images between two keyframes.

    Returns:
        The folder.

    Raises:
        ValueError: parameters are out of range.
        FileExistsError: ``out`` exists and is not a toy world.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'expected a layout out of {", ".join(LAYOUTS)}, got {layout!r}')
    if workers < 1:
        raise ValueError(f'expected at least one worker, got {workers}')
    writer = LAYOUTS[layout]
    world = World(scenes, keyframes, tuple(size or writer.default_size), seed, sweeps)
    writer.check(world)
    with _folder(Path(out)) as root:
        frames = range(keyframes * writer.frames_per_keyframe)
        tasks = [(index, frame) for index in range(scenes) for frame in frames]
        done = dict(_run(partial(_render, writer, root, world), tasks, workers))
        results = [[done[index, frame] for frame in frames] for index in range(scenes)]
        writer.finish(root, world, results)
        (root / MARKER).write_text(json.dumps(dict(layout=layout, **asdict(world)), indent=1))
    return Path(out)


def open_toy_world(root: str | os.PathLike) -> tuple[str, World]:
    """Layout and world of a finished toy world.

    Raises:
        FileNotFoundError: the folder has no toy world.
    """
    path = Path(root) / MARKER
    if not path.is_file():
        raise FileNotFoundError(f'expected a toy world in {root}, got no file {path}')
    parameters = json.loads(path.read_text())
    size = tuple(parameters.pop('size'))
    return parameters.pop('layout'), World(size=size, **parameters)


def _render(writer: type[Layout], root: Path, world: World, task: tuple[int, int]):
    return task, writer.render(root, world, *task)


def _run(function, tasks: list, workers: int) -> Iterator:
    """Results of the tasks, in any order, with a progress bar."""
    bar = partial(tqdm, total=len(tasks), desc='toy world', unit='frame')
    if workers == 1:
        yield from bar(map(function, tasks))
        return
    # Forked workers start immediately; spawned ones would import the whole package again.
    method = 'fork' if 'fork' in multiprocessing.get_all_start_methods() else 'spawn'
    with multiprocessing.get_context(method).Pool(workers) as pool:
        yield from bar(pool.imap_unordered(function, tasks))


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Temporary folder beside ``out``; replaces it if the block succeeds, else is removed."""
    if out.exists() and not (out / MARKER).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f'{out} exists and is not a toy world (no {MARKER} in it): '
            'give another folder, or remove it first'
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    root = temporary_beside(out)
    shutil.rmtree(root, ignore_errors=True)  # of a killed process with the same process id
    root.mkdir()
    try:
        yield root
        if out.exists():
            old = root.with_name(root.name + '-old')
            out.rename(old)
            root.rename(out)
            shutil.rmtree(old)
        else:
            root.rename(out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
