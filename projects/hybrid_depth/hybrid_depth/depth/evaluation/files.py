"""Depth map files: predictions of any origin, and ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...array_files import read_arrays
from ...datasets.depth_map_files import read_depth_png
from ...datasets.image_files import natural_key
from ...datasets.kitti.export import INFO_FILE, LIST_FILE
from ...datasets.kitti.splits import KittiFrame, read_split
from ...errors import DepthDataError
from ...text_files import read_json

_SUFFIXES = ('.npz', '.npy', '.png')
_FORMS = (
    'a folder with one map per file (.npz, .npy, 16-bit .png), an array (N, H, W), or a list of '
    'maps '
    'saved by numpy'
)


def read_depth_map(path: str | Path) -> np.ndarray:
    """Read one map (H, W) from .npz, .npy or 16-bit .png.

    Raises:
        DepthDataError: damaged, or several maps.
    """
    path = Path(path)
    if path.suffix == '.png':
        return read_depth_png(path)
    arrays = read_arrays(path)
    if len(arrays) > 1:
        raise DepthDataError(f'{path}: expected one map, got arrays {sorted(arrays)}')
    return np.squeeze(next(iter(arrays.values())))


class DepthMaps:
    """Sequence of depth maps in a folder, read one by one, or in a file.

    Attributes:
        names: names of the maps; None for a file without names.
        export: `export.json` of `prepare-kitti export-gt`; None for other maps.
        frames: frames of an export by name; empty for other maps.

    Args:
        path: a folder with one map per file (in the order of files.txt, if present); .npy
            or .npz with an array (N, H, W) or (N, 1, H, W), with a list of maps of several sizes
            (numpy's object array, as in Monodepth2's gt_depths.npz), or (.npz) one map per entry.

    Raises:
        FileNotFoundError: the path does not exist.
        DepthDataError: not depth maps.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.names: list[str] | None = None
        self.export: dict | None = None
        self.frames: dict[str, KittiFrame] = {}
        self._maps: Any = None
        self._files: list[Path] = []
        if self.path.is_dir():
            self._open_folder()
        elif self.path.is_file():
            self._open_file()
        else:
            raise FileNotFoundError(f'expected {_FORMS}; got {path}, which does not exist')
        self._places = {name: place for place, name in enumerate(self.names or [])}

    def _open_folder(self) -> None:
        files = (path for path in self.path.iterdir() if path.suffix in _SUFFIXES)
        self._files = sorted(files, key=natural_key)
        if (self.path / LIST_FILE).is_file():  # an export: the order of its split
            self.frames = {frame.name: frame for frame in read_split(self.path / LIST_FILE)}
            order = {name: place for place, name in enumerate(self.frames)}
            self._files = sorted(
                (path for path in self._files if path.stem in order), key=lambda p: order[p.stem]
            )
        if (self.path / INFO_FILE).is_file():
            self.export = read_json(self.path / INFO_FILE)
        self.names = [path.stem for path in self._files]
        if not self.names or len(set(self.names)) < len(self.names):
            raise DepthDataError(
                f'{self.path}: expected one map per file ({", ".join(_SUFFIXES)}), got '
                f'{len(self.names)} files with {len(set(self.names))} names'
            )

    def _open_file(self) -> None:
        arrays = read_arrays(self.path)
        if len(arrays) == 1:
            self._maps = next(iter(arrays.values()))
        else:
            self.names = sorted(arrays, key=lambda name: natural_key(Path(name)))
            self._maps = [arrays[name] for name in self.names]
        if isinstance(self._maps, np.ndarray) and self._maps.ndim == 2:
            self._maps = self._maps[None]
        maps = self._maps if isinstance(self._maps, list) or np.ndim(self._maps) else []
        dimensions = {np.ndim(one) for one in maps}
        if not dimensions or not dimensions <= {2, 3}:
            raise DepthDataError(
                f'{self.path}: expected {_FORMS}; got arrays of {sorted(dimensions)} dimensions'
            )

    def __len__(self) -> int:
        return len(self._files) if self._maps is None else len(self._maps)

    def __getitem__(self, index: int) -> np.ndarray:
        return read_depth_map(self._files[index]) if self._maps is None else self._maps[index]

    def label_path(self, labels: str | Path, name: str) -> Path:
        """Label image of a map: of its frame for an export of KITTI raw, else of its name.

        Args:
            labels: folder that mirrors the images of KITTI raw, or has one PNG per map.
            name: name of the map.
        """
        frame = self.frames.get(name)
        return Path(labels, f'{name}.png' if frame is None else frame.image)

    def index(self, name: str) -> int | None:
        """Index of the map of that name, None if there is none."""
        return self._places.get(name)


def match_predictions(predictions: DepthMaps, truths: DepthMaps) -> list[tuple[str, int]]:
    """(name, index of the prediction) per ground truth: by name if both have names, else in order.

    Raises:
        DepthDataError: the counts differ, or a ground truth has no prediction of its name.
    """
    if len(predictions) != len(truths):
        raise DepthDataError(
            f'expected as many predictions as ground truth maps, got {len(predictions)} in '
            f'{predictions.path} and {len(truths)} in {truths.path}'
        )
    names = truths.names or [f'image {place}' for place in range(len(truths))]
    if predictions.names is None or truths.names is None:
        return list(zip(names, range(len(names)), strict=True))
    places = [predictions.index(name) for name in names]
    absent = [name for name, place in zip(names, places, strict=True) if place is None]
    if absent:
        raise DepthDataError(
            f'{predictions.path}: expected predictions with the names of the ground truth in '
            f'{truths.path}, '
            f'got none for {len(absent)} of them, first {absent[0]}'
        )
    return list(zip(names, places, strict=True))
