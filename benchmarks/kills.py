"""SIGKILL at random moments: trainings resume bit for bit, writers leave whole files only."""

import hashlib
import json
import os
import random
import shutil
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
from hybrid_depth.files import atomic_file, temporary_folder
from tests.engine.kill_resume import different_entries
from tests.foundation.tiny_blip import write_tiny_blip

from .small_worlds import (
    REPOSITORY,
    small_depth_model,
    small_detector,
    small_images,
    small_infos,
)

RANDOM_KILLS, SAVE_KILLS, WRITER_KILLS = 20, 10, 5  # of each training, and of each writer
EPOCHS, WHOLE = 6, 'uninterrupted'
_SAVED = ('state_dict', 'ema_state_dict', 'optimizer')
_LOGS = ('.log', '.jsonl')  # grow line by line
_Wait = Callable[[subprocess.Popen], None]


@dataclass
class Tally:
    """Row of the table: kills, completed runs, and what was wrong after them."""

    kills: int = 0
    runs: int = 0
    faults: list[str] = field(default_factory=list)


def main(folder: str, only: list[str] | None = None) -> None:
    """Kill trainings and writers and print a table; finished rows are kept.

    Args:
        folder: output folder.
        only: names of rows; None for all.

    Raises:
        SystemExit: no such row, or a kill left a half file or changed a result.
    """
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = _rows(folder)
    if unknown := set(only or ()) - set(rows):
        sys.exit(f'expected rows out of {", ".join(rows)}, got {", ".join(unknown)}')
    rows = {name: _kept(folder / f'{name}.json', rows[name]) for name in only or rows}
    print(f'{"":32}{"SIGKILLs":>10}{"runs":>6}{"faults":>8}')
    for name, row in rows.items():
        print(f'{name:32}{row.kills:10}{row.runs:6}{len(row.faults):8}')
    if faults := [f'{name}: {fault}' for name, row in rows.items() for fault in row.faults]:
        sys.exit('\n'.join(faults))


def _rows(folder: Path) -> dict[str, Callable[[], Tally]]:
    """Functions that make the rows. Writers use the weights of the uninterrupted trainings."""
    configs = dict(
        detector=small_detector(folder, 'bevdet_hybrid_toy', epochs=EPOCHS, depth_epochs=2),
        depth=small_depth_model(folder, 'monodepth2_hybrid_toy', epochs=EPOCHS),
    )
    rows = {}
    for name, config in configs.items():
        for moment, kills in (('training', RANDOM_KILLS), ('checkpoint', SAVE_KILLS)):
            rows[f'{name}-{moment}'] = partial(
                kill_training, config, folder / name, kills, moment == 'checkpoint'
            )
    for name, writer in _writers(folder, **configs).items():
        rows[name] = partial(kill_writer, writer, folder / 'writers' / name)
    return rows


@dataclass(frozen=True)
class Writer:
    """Command line that writes files.

    Attributes:
        command: arguments of `hybrid-depth`, given the output folder.
        inputs: folder that the output folder is a copy of before the command, if there is one.
        training: (config, folder) of the uninterrupted training whose weights it uses, if any.
    """

    command: Callable[[Path], list]
    inputs: Path | None = None
    training: tuple[Path, Path] | None = None


def _writers(folder: Path, detector: Path, depth: Path) -> dict[str, Writer]:
    nuscenes, kitti, images = folder / 'nuscenes', folder / 'kitti', small_images(folder)
    split = ('--split', 'splits/toy/val_files.txt', '--source', 'improved')
    infos = small_infos(folder) / 'nuscenes_infos_train.pkl'
    world = ('--scenes', 2, '--keyframes', 1, '--workers', 2, '--size')
    trained = {
        name: folder / name / WHOLE / f'epoch_{EPOCHS}.pth' for name in ('detector', 'depth')
    }
    of_depth, of_detector = (depth, folder / 'depth'), (detector, folder / 'detector')
    return {
        'make-toy-world-nuscenes': Writer(
            lambda out: ['make-toy-world', out, *world, '64x36'],
        ),
        'make-toy-world-kitti': Writer(
            lambda out: ['make-toy-world', out, *world, '96x32', '--layout', 'kitti'],
        ),
        'create-nuscenes-infos': Writer(
            lambda out: [
                *('create-nuscenes-infos', '--root', nuscenes),
                *('--version', 'v1.0-mini', '--out', out),
            ]
        ),
        'export-gt': Writer(lambda out: ['prepare-kitti', 'export-gt', kitti, out, *split]),
        'to-jpeg': Writer(
            lambda out: ['prepare-kitti', 'to-jpeg', out, '--remove-png'],
            inputs=_png_drives(folder),
        ),
        'make-pseudo-depth': Writer(
            lambda out: [
                *('make-pseudo-depth', depth, trained['depth'], '--infos', infos),
                *('--root', nuscenes, '--out', out, '--scale', 'none'),
            ],
            training=of_depth,
        ),
        'make-embodied-depth': Writer(
            lambda out: ['make-embodied-depth', kitti, out, '--labels', kitti / 'semantic'],
        ),
        'make-captions': Writer(  # not .jsonl, the ending of logs
            lambda out: [
                *('make-captions', images, out / 'captions.json_lines'),
                *('--model', _captioner(folder)),
            ]
        ),
        'make-text-features': Writer(
            lambda out: [
                *('make-text-features', kitti / 'captions.jsonl', out),
                *('--tower', 'RN50-quickgelu', '--pretrained', 'none'),
            ]
        ),
        'infer-depth': Writer(
            lambda out: [
                *('infer-depth', '--config', depth, '--checkpoint', trained['depth']),
                *(images, out),
            ],
            training=of_depth,
        ),
        'infer-bev': Writer(
            lambda out: [
                *('infer-bev', infos, out, '--root', nuscenes, '--config', detector),
                *('--checkpoint', trained['detector'], '--all'),
            ],
            training=of_detector,
        ),
    }


def _captioner(folder: Path) -> Path:
    model = folder / 'captioner'
    if not model.exists():
        with temporary_folder(model) as part:
            write_tiny_blip(part).rename(model)
    return model


def _png_drives(folder: Path) -> Path:
    """KITTI raw drives of 24 noisy PNGs."""
    root = folder / 'png_drives'
    if not root.exists():
        images = small_images(folder)
        with temporary_folder(root) as part:
            drive = '2011_09_26/2011_09_26_drive_0001_sync/image_02/data'
            shutil.copytree(images, part / drive)
            part.rename(root)
    return root


def kill_training(config: Path, folder: Path, kills: int, saving: bool) -> Tally:
    """Kill a training and resume it, again and again, until it ends; repeat with new ones.

    Args:
        config: training config with a checkpoint per epoch.
        folder: folder of the work dirs.
        kills: number of kills in all.
        saving: kill while a checkpoint is written, else at any moment.
    """
    whole, tally = folder / WHOLE, Tally()
    seconds = _train_whole(config, folder)
    row = folder / ('saving' if saving else 'any')
    shutil.rmtree(row, ignore_errors=True)  # of a count that was interrupted
    while tally.kills < kills:
        work_dir = row / str(tally.runs)
        command = ['train', config, '--work-dir', work_dir, '--resume']
        wait = partial(_until_saving, work_dir) if saving else partial(_some_time, seconds)
        while tally.kills < kills and _kill(command, wait):
            tally.kills += 1
        _run(command)
        tally.runs += 1
        tally.faults += _other_checkpoints(whole, work_dir)
        tally.faults += [f'{work_dir}: {part} is left' for part in _parts(work_dir)]
    return tally


def _train_whole(config: Path, folder: Path) -> float:
    """Uninterrupted training of a folder, once; seconds that it took."""
    note = folder / 'uninterrupted.json'
    if not note.is_file():
        shutil.rmtree(folder / WHOLE, ignore_errors=True)
        seconds = _run(['train', config, '--work-dir', folder / WHOLE])
        with atomic_file(note, 'w') as file:
            json.dump(seconds, file)
    return json.loads(note.read_text())


def kill_writer(writer: Writer, folder: Path) -> Tally:
    """Kill a command while it writes files, look for half ones, and run it again.

    Args:
        writer: the command.
        folder: folder of the output folders.
    """
    if writer.training is not None:
        _train_whole(*writer.training)
    shutil.rmtree(folder, ignore_errors=True)  # of a count that was interrupted
    whole, tally = _out(writer, folder / 'whole'), Tally()
    begin = time.time()
    _run(writer.command(whole))
    writing = time.time() - min(
        seconds for path in whole.rglob('*') if (seconds := path.stat().st_ctime) > begin
    )
    expected = _digests(whole)
    while tally.kills < WRITER_KILLS:
        out = _out(writer, folder / str(tally.runs))
        tally.kills += _kill(writer.command(out), partial(_until_writing, out.parent, writing))
        found = _digests(out)
        half = {file for file in found.keys() & expected if found[file] != expected[file]}
        tally.faults += [f'{out}/{file} is incomplete' for file in half]
        _run(writer.command(out))
        tally.runs += 1
        other = {file for file, _ in _digests(out).items() ^ expected.items()}
        tally.faults += [f'{out}/{file} differs after the next run' for file in other]
        tally.faults += [f'{part} is left' for part in _parts(out.parent)]
    return tally


def _out(writer: Writer, folder: Path) -> Path:
    """Output folder of a writer in a new folder, with its inputs."""
    out = folder / 'out'
    folder.mkdir(parents=True)
    if writer.inputs is not None:
        shutil.copytree(writer.inputs, out)
    return out


def _some_time(seconds: float, process: subprocess.Popen) -> None:
    """Wait for a random part of the time that the command takes."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0.1, 1.0) * seconds)


def _until_writing(folder: Path, writing: float, process: subprocess.Popen) -> None:
    """Wait until the first file of the command, and a random part of the time that it writes."""
    before = set(folder.rglob('*'))
    while process.poll() is None and set(folder.rglob('*')) <= before:
        time.sleep(0.002)
    with suppress(subprocess.TimeoutExpired):
        process.wait(random.uniform(0, writing))


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
