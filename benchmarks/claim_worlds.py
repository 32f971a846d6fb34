"""Toy worlds and lists of frames of the depth study of foundation towers.

Training, choosing and scoring have scenes of different seeds, and none is the seed of the towers'
scenes (`tower_crops.SEED`) nor that of data/toy_kitti, on which older recipes were selected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hybrid_depth.datasets.kitti.export import export_ground_truth, improved_truth
from hybrid_depth.datasets.kitti.splits import KittiFrame, read_split, write_split
from hybrid_depth.toy_world import make_toy_world
from hybrid_depth.toy_world.rig_change import RigChange

TRAIN_SEED, CHOICE_SEED, SCORED_SEED = 301, 302, 303
FRACTIONS = (10, 30, 100)  # per cent of the training drives
SIZE = (192, 64)  # of the images, as the networks and the towers see them
DRIVES = 20  # of the training
_KITTI = dict(layout='kitti', keyframes=4, size=SIZE)

#: Arguments of `make_toy_world`. `high` and `textures` have the scenes of `scored`.
WORLDS: dict[str, dict[str, Any]] = dict(
    train=dict(_KITTI, scenes=DRIVES + 2, seed=TRAIN_SEED),
    lanes=dict(layout='tusimple', keyframes=4, size=(320, 180), scenes=22, seed=TRAIN_SEED),
    choice=dict(_KITTI, scenes=8, seed=CHOICE_SEED),
    scored=dict(_KITTI, scenes=8, seed=SCORED_SEED),
    high=dict(_KITTI, scenes=8, seed=SCORED_SEED, rig=RigChange(height=0.5)),
    textures=dict(_KITTI, scenes=8, seed=SCORED_SEED, textures=1),
)
TESTED = ('choice', 'scored', 'high', 'textures')


def make_worlds(folder: Path, seeds: tuple[int, ...], workers: int = 1) -> None:
    """Make the worlds, the ground truth of the tested ones, and the lists of training frames, as
    far as they do not exist."""
    for name, options in WORLDS.items():
        make_toy_world(folder / name, workers=workers, keep=True, **options)
    for name in TESTED:
        root = folder / name
        lists = (root / 'splits' / 'toy' / f'{part}_files.txt' for part in ('train', 'val'))
        frames = [f for path in lists for f in read_split(path) if f.side == 'l']
        export_ground_truth(frames, improved_truth(root), truth(folder, name), 'improved', name)
    frames = read_split(folder / 'train' / 'splits' / 'toy' / 'train_files.txt')
    for seed in seeds:
        for percent in FRACTIONS:
            path = frame_list(folder, percent, seed)
            path.parent.mkdir(exist_ok=True)
            write_split(some_frames(frames, percent, seed), path)


def truth(folder: Path, name: str) -> Path:
    """Ground truth of a tested world; its `files.txt` lists the frames."""
    return folder / f'{name}_truth'


def frame_list(folder: Path, percent: int, seed: int | str) -> Path:
    """List of the training frames of a seed."""
    return folder / 'lists' / f'train_{percent}_seed{seed}.txt'


def some_frames(frames: list[KittiFrame], percent: int, seed: int) -> list[KittiFrame]:
    """All frames of some per cent of the drives, drawn by the seed; smaller parts are in larger
    ones. Whole drives, as neighbouring frames of a drive have almost the same content."""
    drives = sorted({frame.folder for frame in frames})
    order = np.random.default_rng([seed, TRAIN_SEED]).permutation(len(drives))
    kept = {drives[i] for i in order[: max(1, round(len(drives) * percent / 100))]}
    return [frame for frame in frames if frame.folder in kept]
