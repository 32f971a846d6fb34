"""Generation of a toy world on disk.

Frames are rendered in worker processes; the finished folder is moved into place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from tqdm import tqdm

from ..digests import differences, digest, file_digest
from ..errors import DamagedFileError, OutputInUseError
from ..files import temporary_folder
from ..text_files import read_json
from ..workers import map_in_workers
from .kitti_layout import KittiLayout
from .layout import Layout
from .nuscenes_layout import NuScenesLayout
from .rig_change import NO_CHANGE, RigChange
from .rig_layout import RigLayout
from .tusimple_layout import TuSimpleLayout
from .world import World

LAYOUTS: dict[str, type[Layout]] = {
    'nuscenes': NuScenesLayout,
    'kitti': KittiLayout,
    'tusimple': TuSimpleLayout,
    'rig': RigLayout,
}
#: File that marks a finished toy world and holds its parameters and the names of its files.
MARKER = 'toy_world.json'
#: The contact sheet that the tool may add to it.
PREVIEW = 'preview.png'


def make_toy_world(
    out: str | os.PathLike,
    scenes: int = 10,
    keyframes: int = 10,
    size: tuple[int, int] | None = None,
    seed: int = 0,
    workers: int = 2,
    layout: str = 'nuscenes',
    sweeps: int = 0,
    keep: bool = False,
    rig: RigChange = NO_CHANGE,
    textures: int = 0,
) -> Path:
    """Generates a toy world; equal arguments give equal bytes with any number of ``workers``.

    Args:
        out: output folder, or a link to one. An older toy world there is replaced, unless other
            files have come into it.
        scenes: number of scenes (drives).
        keyframes: 2 Hz keyframes per scene; KITTI has five frames per keyframe.
        size: width and height of the images, pixels; None for the layout's default.
        seed: seed of all random choices.
        workers: number of rendering processes.
        layout: 'nuscenes' (v1.0-mini root), 'kitti' (KITTI raw tree), 'tusimple' (lane labels)
            or 'rig' (an own vehicle with `rig.yaml`).
        sweeps: nuScenes: camera images between two keyframes.
        keep: keep a complete toy world of the same parameters, made by this version.
        rig: change of the cameras. Worlds that differ in it alone have the same scenes.
        textures: seed of other colours and patterns of the same scenes, 0 for the standard ones.

    Returns:
        The folder.

    Raises:
        ValueError: for parameters outside of their range.
        OutputInUseError: where ``out`` holds anything but a toy world as it was made, and is not
            kept.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'expected a layout out of {", ".join(LAYOUTS)}, got {layout!r}')
    if workers < 1:
        raise ValueError(f'expected at least one worker, got {workers}')
    writer = LAYOUTS[layout]
    world = World(
        scenes, keyframes, tuple(size or writer.default_size), seed, sweeps, rig, textures
    )
    writer.check(world)
    parameters = dict(layout=layout, **asdict(world), generator=_generator())
    if keep and (Path(out) / MARKER).is_file():
        stale = _stale(Path(out), parameters)
        if not stale:
            return Path(out)
        print(f'{out}: made again, as these differ: {", ".join(stale)}')
    with _folder(Path(out).resolve()) as root:  # keep a link
        frames = range(keyframes * writer.frames_per_keyframe)
        tasks = [(index, frame) for index in range(scenes) for frame in frames]
        done = dict(_run(partial(_render, writer, root, world), tasks, workers))
        results = [[done[index, frame] for frame in frames] for index in range(scenes)]
        writer.finish(root, world, results)
        files = sorted(p.relative_to(root).as_posix() for p in root.rglob('*') if p.is_file())
        (root / MARKER).write_text(json.dumps(dict(parameters, files=files), indent=1))
    return Path(out)


@cache
def _generator() -> str:
    """Digest of the modules that make toy worlds: other versions make other images."""
    return digest(*map(file_digest, sorted(Path(__file__).parent.glob('*.py'))))


def _stale(out: Path, parameters: dict) -> list[str]:
    """Names of parameters that differ from those of a toy world, and of files that it lacks."""
    held, expected = _read_marker(out, out), json.loads(json.dumps(parameters))
    absent = [name for name in held.get('files', ()) if not (out / name).is_file()]
    return differences({name: held.get(name) for name in expected}, expected) + absent[:3]


def open_toy_world(root: str | os.PathLike) -> tuple[str, World]:
    """Layout and world of a finished toy world.

    Raises:
        FileNotFoundError: the folder has none.
        DamagedFileError: its parameters do not read.
    """
    path = Path(root) / MARKER
    if not path.is_file():
        raise FileNotFoundError(f'expected a toy world in {root}, got no file {path}')
    parameters = _read_marker(Path(root), Path(root))
    for other in ('files', 'generator'):
        parameters.pop(other, None)
    size = tuple(parameters.pop('size'))
    rig = RigChange(**parameters.pop('rig', {}))  # older worlds have none
    return parameters.pop('layout'), World(size=size, rig=rig, **parameters)


def _render(writer: type[Layout], root: Path, world: World, task: tuple[int, int]):
    return task, writer.render(root, world, *task)


def _run(function, tasks: list, workers: int) -> Iterator:
    """Results of the tasks with a progress bar."""
    bar = partial(tqdm, total=len(tasks), desc='toy world', unit='frame')
    if workers == 1:
        yield from bar(map(function, tasks))
        return
    yield from bar(map_in_workers(function, tasks, workers))


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """New folder that replaces ``out`` if the block succeeds, and is removed otherwise."""
    _require_no_other_files(out, out)
    with temporary_folder(out) as root, temporary_folder(out) as attic:
        yield root
        if not out.exists():
            root.rename(out)
            return
        older = out.rename(attic / 'older')
        try:
            _require_no_other_files(
                older, out
            )  # files may be added during the minutes of rendering
            root.rename(out)
        except BaseException:  # any error: restore the previous folder
            older.rename(out)
            raise


def _require_no_other_files(folder: Path, name: Path) -> None:
    """Raises OutputInUseError if a folder has anything but an unchanged toy world."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MARKER).is_file():
        raise OutputInUseError(
            f'{name} exists and is not a toy world (no {MARKER} in it): '
            'use another folder, or remove it first'
        )
    files = _read_marker(folder, name).get('files')
    if not isinstance(files, list):
        raise OutputInUseError(
            f'{name} is a toy world of an older version, which did not list its files: '
            'use another folder, or remove it first'
        )
    made = {MARKER, PREVIEW, *map(str, files)}
    paths = (path for path in folder.rglob('*') if path.is_symlink() or not path.is_dir())
    others = sorted({path.relative_to(folder).as_posix() for path in paths} - made)
    if others:
        raise OutputInUseError(
            f'{name} has {len(others)} files that are not of its toy world and would be lost, '
            f'such as {", ".join(others[:3])}: move them, use another folder, or remove '
            'this one first'
        )


def _read_marker(root: Path, name: Path) -> dict:
    with suppress(ValueError):
        marker = read_json(root / MARKER)
        if isinstance(marker, dict):
            return marker
    raise DamagedFileError(
        f'{name / MARKER}: expected the parameters of a toy world, got a damaged file; remove the '
        'folder and make it again'
    )
