"""Toy images with captioned windows around their objects, for the training of small towers.

A window has 64 x 64 pixels of an image of a network's size and is never rescaled, so that the size
of the object, its place on the ground and the horizon show the distance, as in the networks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hybrid_depth.digests import differences
from hybrid_depth.errors import OutputInUseError
from hybrid_depth.files import atomic_file
from hybrid_depth.foundation.object_sentences import WORD_EDGES
from hybrid_depth.foundation.prompts import DEPTH_WORDS
from hybrid_depth.text_files import read_json
from hybrid_depth.toy_world import kitti_rig
from hybrid_depth.toy_world.camera import labelled_depth, render_view
from hybrid_depth.toy_world.rig import CAMERAS
from hybrid_depth.toy_world.scene import Scene
from hybrid_depth.toy_world.world import World
from hybrid_depth.workers import map_in_workers

#: Of all scenes of the towers. The worlds of the studies have seeds below 1000.
SEED = 2200
CLASSES = (
    'car',
    'truck',
    'bus',
    'trailer',
    'construction_vehicle',
    'pedestrian',
    'motorcycle',
    'bicycle',
    'traffic_cone',
    'barrier',
)
WINDOW = 64
#: Image sizes (width, height): of the toy depth models, and of the toy detectors, which see the
#: lower 96 rows of 256 x 144 pixels.
KITTI_SIZE, SURROUND_SIZE, CUT_ROWS = (192, 64), (256, 96), 48
_OFF_CENTRE = 8  # pixels between the object's and the window's centre column, at most
_MIDDLE = 16  # columns, of which the object has most pixels of all
_LEAST_PIXELS = 12  # of an object of a caption, as in the toy world's captions
_SECONDS = 6.0  # of a scene


@dataclass(frozen=True)
class Windows:
    """Captioned windows of images; `concatenate` joins those of several scenes.

    Attributes:
        kitti: (K, 64, 192, 3) uint8 images of KITTI's camera.
        surround: (S, 96, 256, 3) uint8 images of the six surround cameras.
        image: (N,) index of the window's image in `kitti`, and beyond its end in `surround`.
        corner: (N, 2) column and row of the window's first pixel.
        box: (N, 4) visible part of the object, first and last column and row, in its window.
        label: (N,) index of the object's class in `CLASSES`.
        companion: (N,) class of the largest other object in the window, -1 for none.
        distance: (N,) median depth of the object's pixels, metres.
    """

    kitti: np.ndarray
    surround: np.ndarray
    image: np.ndarray
    corner: np.ndarray
    box: np.ndarray
    label: np.ndarray
    companion: np.ndarray
    distance: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    def pixels(self, index: np.ndarray) -> np.ndarray:
        """(n, 64, 64, 3) uint8 windows."""
        found = np.empty((len(index), WINDOW, WINDOW, 3), np.uint8)
        for place, i in enumerate(index):
            x, y = self.corner[i]
            beyond = self.image[i] - len(self.kitti)
            image = self.kitti[self.image[i]] if beyond < 0 else self.surround[beyond]
            found[place] = image[y : y + WINDOW, x : x + WINDOW]
        return found

    def every(self, step: int) -> Windows:
        """Every so manyth window, with all images."""
        rows = {
            name: value if name in ('kitti', 'surround') else value[::step]
            for name, value in vars(self).items()
        }
        return Windows(**rows)

    @classmethod
    def concatenate(cls, groups: list[Windows]) -> Windows:
        """Joins the windows of scenes, in order."""
        arrays = {
            name: np.concatenate([getattr(group, name) for group in groups])
            for name in cls.__annotations__
        }
        front = sum(len(group.kitti) for group in groups)
        images, kitti, surround = [], 0, front
        for group in groups:
            beyond = group.image >= len(group.kitti)
            first = np.where(beyond, surround - len(group.kitti), kitti)
            images.append(group.image + first)
            kitti, surround = kitti + len(group.kitti), surround + len(group.surround)
        return cls(**{**arrays, 'image': np.concatenate(images)})


def _subject(windows: Windows, index: int) -> str:
    """ "car", "car with a truck" or "car with another car"."""
    name, companion = CLASSES[windows.label[index]], windows.companion[index]
    if companion >= 0:
        other = 'another' if companion == windows.label[index] else 'a'
        name = f'{name} with {other} {CLASSES[companion]}'
    return name.replace('_', ' ')


def distance_caption(windows: Windows, index: int) -> str:
    """Class and distance, in the words and the sentence of Hybrid-depth's stage 1."""
    word = DEPTH_WORDS[int(np.searchsorted(WORD_EDGES, windows.distance[index]))]
    return f'This {_subject(windows, index)} appears to be {word}'


def plain_caption(windows: Windows, index: int) -> str:
    """The same without the distance."""
    return f'This is a {_subject(windows, index)}'


#: Caption sets by the name of the tower that is trained on them.
CAPTIONS: dict[str, Callable[[Windows, int], str]] = dict(
    clip_distance=distance_caption, clip_plain=plain_caption
)


@dataclass(frozen=True)
class CropSet:
    """Scenes whose windows train and check towers.

    Attributes:
        scenes: number of training scenes; the held-out scenes come after them.
        held_out: number of held-out scenes.
        frames: images of each of the two rigs per scene.
        seed: seed of the scenes.
    """

    scenes: int = 470
    held_out: int = 30
    frames: int = 5
    seed: int = SEED

    def indices(self, part: str) -> range:
        """Scene numbers of 'train' or 'held_out'."""
        return dict(
            train=range(self.scenes), held_out=range(self.scenes, self.scenes + self.held_out)
        )[part]

    def world(self) -> World:
        """Toy world of the scenes."""
        return World(self.scenes + self.held_out, int(_SECONDS * 2), KITTI_SIZE, self.seed)


def make_windows(crops: CropSet, folder: Path, workers: int = 2) -> None:
    """Render the scenes that the folder lacks, one file each.

    Raises:
        OutputInUseError: the folder has windows of another `CropSet`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record, wanted = folder / 'crops.json', vars(crops)
    if record.is_file():
        if changed := differences(read_json(record), wanted):
            raise OutputInUseError(
                f'{folder}: expected windows of {wanted}, got others ({", ".join(changed)}): '
                'use another folder, or remove this one'
            )
    with atomic_file(record, 'w') as file:
        json.dump(wanted, file)
    todo = [i for part in ('train', 'held_out') for i in crops.indices(part)]
    todo = [i for i in todo if not _path(folder, i).is_file()]
    work = map_in_workers(partial(_write_scene, crops, folder), todo, workers)
    for _ in tqdm(work, total=len(todo), desc='scenes'):
        pass


def read_windows(crops: CropSet, folder: Path, part: str) -> Windows:
    """Windows of the scenes of 'train' or 'held_out'."""
    groups = []
    for index in crops.indices(part):
        with np.load(_path(folder, index), allow_pickle=False) as arrays:
            groups.append(Windows(**arrays))
    return Windows.concatenate(groups)


def _path(folder: Path, index: int) -> Path:
    return folder / f'scene_{index:04d}.npz'


def _write_scene(crops: CropSet, folder: Path, index: int) -> int:
    windows = scene_windows(crops, index)
    with atomic_file(_path(folder, index)) as file:
        np.savez(file, **vars(windows))
    return len(windows)


def scene_windows(crops: CropSet, index: int) -> Windows:
    """Images and windows of a scene at random times."""
    scene = crops.world().scene(index)
    rng = np.random.default_rng([crops.seed, index, 1])
    times = rng.uniform(0, _SECONDS, (2, crops.frames))
    images: dict[str, list] = dict(kitti=[], surround=[])
    rows = []
    for time in times[0]:
        view = kitti_rig.cam2ego(2), kitti_rig.cam2img(KITTI_SIZE)
        rows += _view_windows(scene, view, KITTI_SIZE, time, images['kitti'], 0)
    for time in times[1]:
        camera = CAMERAS[rng.integers(len(CAMERAS))]
        width, height = SURROUND_SIZE
        cam2img = camera.cam2img((width, height + CUT_ROWS))
        cam2img[1, 2] -= CUT_ROWS
        view = camera.sensor2ego(), cam2img
        rows += _view_windows(scene, view, SURROUND_SIZE, time, images['surround'], crops.frames)
    table = np.array(rows, np.float64).reshape(-1, 10)
    whole = table[:, :9].astype(np.int64)
    return Windows(
        **{name: np.stack(group) for name, group in images.items()},
        image=whole[:, 0],
        corner=whole[:, 1:3],
        box=whole[:, 3:7],
        label=whole[:, 7],
        companion=whole[:, 8],
        distance=table[:, 9],
    )


def _view_windows(
    scene: Scene, view: tuple, size: tuple[int, int], time: float, images: list, first: int
) -> list[tuple]:
    """Render an image, append it to `images`, and return the rows of its windows."""
    cam2ego, cam2img = view
    cam2world = scene.ego2world(time) @ cam2ego
    images.append(render_view(scene, cam2world, cam2img, size, time).image)
    depth, labels = labelled_depth(scene, cam2world, cam2img, size, time)
    names = [actor.name for actor in scene.actors]
    number, rows = first + len(images) - 1, []
    for actor in np.flatnonzero(np.bincount(labels.instance.ravel())[1:] >= _LEAST_PIXELS):
        window = _window(labels.instance, actor + 1, names)
        if window is not None:
            distance = float(np.median(depth[labels.instance == actor + 1]))
            rows.append((number, *window, distance))
    return rows


def _window(instances: np.ndarray, subject: int, names: list[str]) -> tuple | None:
    """Corner, box, label and companion of the window around an object; None where it is not the
    largest object of the window's middle columns, which the caption is about."""
    height, width = instances.shape
    rows, columns = np.nonzero(instances == subject)
    middle = int(np.median(columns)), int(np.median(rows))
    x, y = (
        int(np.clip(m - WINDOW // 2, 0, n - WINDOW))
        for m, n in zip(middle, (width, height), strict=True)
    )
    if abs(middle[0] - x - WINDOW // 2) > _OFF_CENTRE:
        return None
    view = instances[y : y + WINDOW, x : x + WINDOW]
    side = (WINDOW - _MIDDLE) // 2
    central = np.bincount(view[:, side:-side].ravel(), minlength=subject + 1)
    central[0] = 0
    if central.argmax() != subject or central[subject] < _LEAST_PIXELS:
        return None
    others = np.bincount(view.ravel())
    others[[0, subject]] = 0
    companion = -1
    if others.max() >= _LEAST_PIXELS:
        companion = CLASSES.index(names[int(others.argmax()) - 1])
    rows, columns = np.nonzero(view == subject)
    box = columns.min(), columns.max(), rows.min(), rows.max()
    return x, y, *box, CLASSES.index(names[subject - 1]), companion
