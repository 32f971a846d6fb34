"""Resident memory over many steps of training and inference: fitted slope in KiB per step."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice, repeat
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hybrid_depth.apis import init_bev_model, init_depth_model, stream_depth
from hybrid_depth.engine.config import build_runner, load_config
from hybrid_depth.files import atomic_file
from hybrid_depth.inference.bev import infer_sample, keyframes

from .memory import resident_kib
from .small_worlds import REPOSITORY, small_depth_model, small_detector, small_images, small_infos

DETECTORS = ('bevdet_hybrid_toy', 'bevdet4d_toy', 'fbbev_hybrid_history_toy')
DEPTH = 'monodepth2_hybrid_toy'
WARM_UP = 0.2  # part of the steps before the fit: caches and allocator pools fill
EVERY = 10  # steps between two values


def main(folder: str, steps: int, frames: int) -> None:
    """Train and run each small model in a process and print the slopes; finished rows are kept."""
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f'{"":28}{"steps":>8}{"MiB":>9}{"KiB/step":>10}{"+-":>8}')
    for name in (*DETECTORS, DEPTH):
        for task, count in (('train', steps), ('infer', frames)):
            out = folder / f'{name}_{task}_{count}.json'
            if not out.exists():
                command = [sys.executable, '-m', 'benchmarks.memory_growth', name, task]
                subprocess.run([*command, str(count), str(out)], cwd=REPOSITORY, check=True)
            memory = json.loads(out.read_text())
            slope, error = fitted_slope(memory)
            print(
                f'{name + " " + task:28}{count:8}{memory[-1] / 1024:9.0f}{slope:10.2f}{error:8.2f}'
            )


def fitted_slope(memory: list[float]) -> tuple[float, float]:
    """Slope of a line through memory in KiB after the warm-up, KiB per step, and its standard
    error.

    Args:
        memory: resident memory every `EVERY` steps.
    """
    values = np.array(memory[int(WARM_UP * len(memory)) :])
    (slope, _), covariance = np.polyfit(EVERY * np.arange(len(values)), values, 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))


def record(name: str, task: str, count: int, out: Path) -> None:
    """Run a model for some steps and write its resident memory every `EVERY` of them."""
    folder = out.parent  # the worlds are common to all
    small = small_detector if name in DETECTORS else small_depth_model
    config = small(folder, name, epochs=count)
    if task == 'train':
        memory = _train(config, folder / out.stem, count)
    else:
        frames = _detections(config, folder) if name in DETECTORS else _depths(config, folder)
        steps = enumerate(islice(frames, count), 1)
        memory = [resident_kib() for step, _ in steps if step % EVERY == 0]
    with atomic_file(out, 'w') as file:
        json.dump(memory, file)


class _EnoughError(Exception):
    pass


class _Recorder(Hook):
    def __init__(self, memory: list, count: int) -> None:
        self.memory, self.count = memory, count

    def after_train_iter(self, runner: Runner, *args, **kwargs) -> None:
        step = runner.iter + 1
        if step % EVERY == 0:
            self.memory.append(resident_kib())
        if step == self.count:
            raise _EnoughError


def _train(config: Path, work_dir: Path, count: int) -> list[int]:
    options = {'train_dataloader.num_workers': 0, 'train_dataloader.persistent_workers': False}
    options['default_hooks.checkpoint.interval'] = 50
    runner = build_runner(load_config(config, str(work_dir), options, 'none'))
    memory = []
    runner.register_hook(_Recorder(memory, count), 'LOWEST')
    with suppress(_EnoughError):
        runner.train()
    return memory


def _detections(config: Path, folder: Path) -> Iterator:
    model = init_bev_model(config)
    infos = small_infos(folder) / 'nuscenes_infos_train.pkl'
    dataset = keyframes(model, infos, folder / 'nuscenes')
    return (infer_sample(model, dataset[index]) for index in cycle(range(len(dataset))))


def _depths(config: Path, folder: Path) -> Iterator:
    model, paths = init_depth_model(config), sorted(small_images(folder).iterdir())
    return (result for _ in repeat(None) for result in stream_depth(model, paths))


if __name__ == '__main__':
    name, task, steps, path = sys.argv[1:]
    record(name, task, int(steps), Path(path))
