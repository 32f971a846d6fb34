"""SIGKILL at random moments: trainings resume bit for bit, writers leave whole files only."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from hybrid_depth.checkpoints import load_checkpoint_file
from hybrid_depth.files import atomic_file
from tests.engine.kill_resume import different_entries

from .small_worlds import (
    REPOSITORY,
    small_depth_model,
    small_detector,
    small_images,
)

RANDOM_KILLS, SAVE_KILLS, WRITER_KILLS = 20, 10, 5  # of each training, and of each writer
_SAVED = ('state_dict', 'ema_state_dict', 'optimizer')
_LOGS = ('.log', '.jsonl')  # grow line by line
_Wait = Callable[[subprocess.Popen], None]


@dataclass
class Tally:
    """Row of the table: kills, completed runs, and what was wrong after them."""

    kills: int = 0
    runs: int = 0
    faults: list[str] = field(default_factory=list)


def main(folder: str) -> None:
    """Kill trainings and writers and print a table; finished rows are kept.

    Raises:
        SystemExit: a kill left a half file or changed a result.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: _kept(folder / f'{name}.json', row) for name, row in _rows(folder).items()}
    print(f'{"":32}{"SIGKILLs":>10}{"runs":>6}{"faults":>8}')
    for name, row in rows.items():
        print(f'{name:32}{row.kills:10}{row.runs:6}{len(row.faults):8}')
    if faults := [f'{name}: {fault}' for name, row in rows.items() for fault in row.faults]:
        sys.exit('\n'.join(faults))


def _rows(folder: Path) -> dict[str, Callable[[], Tally]]:
    detector = small_detector(folder, 'bevdet_hybrid_toy', epochs=6, depth_epochs=2)
    depth = small_depth_model(folder, 'monodepth2_hybrid_toy', epochs=6)
    rows = {}
    for name, config in (('detector', detector), ('depth', depth)):
        rows[f'{name}-training'] = partial(
            kill_training, config, folder / name, RANDOM_KILLS, saving=False
        )
        rows[f'{name}-checkpoint'] = partial(
            kill_training, config, folder / name, SAVE_KILLS, saving=True
        )
    for name, command in _writers(folder, depth).items():
        rows[name] = partial(kill_writer, command, folder / 'writers' / name)
    return rows


def _writers(folder: Path, depth: Path) -> dict[str, Callable[[Path], list]]:
    """Arguments of `hybrid-depth` for an output folder."""
    nuscenes, kitti, images = folder / 'nuscenes', folder / 'kitti', small_images(folder)
    split = ('--split', 'splits/toy/val_files.txt', '--source', 'improved')
    weights = folder / 'depth' / 'uninterrupted' / 'epoch_6.pth'
    infos = nuscenes / 'nuscenes_infos_train.pkl'
    world = ('--scenes', 2, '--keyframes', 2, '--workers', 2, '--size')
    return {
        'make-toy-world-nuscenes': lambda out: ['make-toy-world', out, *world, '128x72'],
        'make-toy-world-kitti': lambda out: [
            *('make-toy-world', out, *world, '160x48'),
            *('--layout', 'kitti'),
        ],
        'create-nuscenes-infos': lambda out: [
            *('create-nuscenes-infos', '--root', nuscenes),
            *('--version', 'v1.0-mini', '--out', out),
        ],
        'export-gt': lambda out: ['prepare-kitti', 'export-gt', kitti, out, *split],
        'make-pseudo-depth': lambda out: [
            *('make-pseudo-depth', depth, weights, '--infos', infos, '--root', nuscenes),
            *('--out', out, '--scale', 'none'),
        ],
        'infer-depth': lambda out: [
            *('infer-depth', '--config', depth, '--checkpoint', weights),
            *(images, out),
        ],
    }


def kill_training(config: Path, folder: Path, kills: int, saving: bool) -> Tally:
    """Kill a training and resume it, again and again, until it ends; repeat with new ones.

    Args:
        config: training config with a checkpoint per epoch.
        folder: folder of the work dirs.
        kills: number of kills in all.
        saving: kill while a checkpoint is written, else at any moment.
    """
    whole, tally = folder / 'uninterrupted', Tally()
    seconds = _run(['train', config, '--work-dir', whole])
    while tally.kills < kills:
        work_dir = folder / f'{"saving" if saving else "any"}_{tally.runs}'
        command = ['train', config, '--work-dir', work_dir, '--resume']
        wait = partial(_until_saving, work_dir) if saving else partial(_some_time, seconds)
        while tally.kills < kills and _kill(command, wait):
            tally.kills += 1
        _run(command)
        tally.runs += 1
        tally.faults += _other_checkpoints(whole, work_dir)
        tally.faults += [f'{work_dir}: {part} is left' for part in _parts(work_dir)]
    return tally


def kill_writer(command: Callable[[Path], list], folder: Path) -> Tally:
    """Kill a command that writes files, look for half ones, and run it again.

    Args:
        command: its arguments, given the output folder.
        folder: folder of the output folders.
    """
    whole, tally = folder / 'whole' / 'out', Tally()
    seconds = _run(command(whole))
    expected = _digests(whole)
    for number in range(WRITER_KILLS):
        out = folder / str(number) / 'out'
        tally.kills += _kill(command(out), partial(_some_time, seconds))
        half = {file for file, _ in _digests(out).items() - expected.items()}
        tally.faults += [f'{out}/{file} is incomplete' for file in half if '.part-' not in file]
        _run(command(out))
        tally.runs += 1
        other = {file for file, _ in _digests(out).items() ^ expected.items()}
        tally.faults += [f'{out}/{file} differs after the next run' for file in other]
        tally.faults += [f'{part} is left' for part in _parts(out.parent)]
    return tally


def _some_time(seconds: float, process: subprocess.Popen) -> None:
    """Wait for a random part of the time that the command takes."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0.1, 1.0) * seconds)


def _until_saving(work_dir: Path, process: subprocess.Popen) -> None:
    """Wait until the first, second or third checkpoint is being written."""
    names, ordinal = set(), random.randint(1, 3)
    while len(names) < ordinal and process.poll() is None:
        names.update(part.name for part in _parts(work_dir) if '.pth' in part.name)
        time.sleep(0.0005)
    time.sleep(random.uniform(0, 0.02))


def _parts(folder: Path) -> list[Path]:
    return list(folder.rglob('.*.part-*')) if folder.is_dir() else []


def _kill(command: Sequence, wait: _Wait) -> bool:
    """SIGKILL a command and its workers after a wait; False if it had ended."""
    with _started(command) as process:
        wait(process)
        alive = process.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return alive


def _run(command: Sequence) -> float:
    """Run a command to its end; seconds that it took.

    Raises:
        RuntimeError: it failed.
    """
    begin = time.monotonic()
    with _started(command) as process:
        text = process.communicate()[0]
    if process.returncode:
        raise RuntimeError(f'{" ".join(map(str, command))} failed:\n{text[-2000:]}')
    return time.monotonic() - begin


def _started(command: Sequence) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-m', 'hybrid_depth', *map(str, command)],
        cwd=REPOSITORY,
        env=dict(os.environ, OMP_NUM_THREADS='1'),  # sums in one order
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _other_checkpoints(expected: Path, work_dir: Path) -> list[str]:
    """Tensors of the last checkpoint that differ from those of an uninterrupted training."""
    names = [Path((run / 'last_checkpoint').read_text()).name for run in (expected, work_dir)]
    if names[0] != names[1]:
        return [f'{work_dir}: ended with {names[1]} instead of {names[0]}']
    whole, resumed = (load_checkpoint_file(run / names[0]) for run in (expected, work_dir))
    return [
        f'{work_dir}: {part} {name} differs'
        for part in _SAVED
        for name in different_entries(whole.get(part, {}), resumed.get(part, {}))
    ]


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, but of logs, by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob('*')
        if path.is_file() and path.suffix not in _LOGS
    }


def _kept(path: Path, row: Callable[[], Tally]) -> Tally:
    """Result of an earlier call, or of this one, which is then kept."""
    if path.is_file():
        return Tally(**json.loads(path.read_text()))
    tally = row()
    print(f'{path.stem}: {asdict(tally)}', flush=True)
    with atomic_file(path, 'w') as file:
        json.dump(asdict(tally), file)
    return tally
