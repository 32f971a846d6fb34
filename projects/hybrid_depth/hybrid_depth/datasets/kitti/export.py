"""Export of ground-truth depth maps of KITTI frames, one file per frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from ...errors import DepthDataError
from ...files import atomic_file
from ...text_files import read_json
from ..depth_map_files import read_depth_png, write_depth_map
from .splits import KittiFrame, write_split
from .splits.split_file import camera_number
from .tree import KittiRawTree, annotated_depth_path
from .velodyne import read_velodyne, velodyne_depth_map

TruthSource = Literal['velodyne', 'improved']
INFO_FILE, LIST_FILE = 'export.json', 'files.txt'


class ExportReport(NamedTuple):
    """Result of an export.

    Attributes:
        written: number of maps written.
        kept: number of maps that existed already.
        missing: number of frames whose measurement is not on disk.
    """

    written: int
    kept: int
    missing: list[KittiFrame]


def velodyne_truth(tree: KittiRawTree) -> Callable[[KittiFrame], np.ndarray | None]:
    """Reader of the `eigen` ground truth: forward distance measured by the Velodyne.

    Source: docs/reference/kitti.md, "Velodyne depth maps".
    """

    def read(frame: KittiFrame) -> np.ndarray | None:
        sweep = tree.sweeps(frame.folder).get(frame.number)
        if sweep is None:
            return None
        calibration = tree.calibration(frame.folder)
        camera = camera_number(frame.side)
        return velodyne_depth_map(read_velodyne(sweep), calibration, camera, 'forward')

    return read


def improved_truth(depth_root: str | Path) -> Callable[[KittiFrame], np.ndarray | None]:
    """Reader of the improved ground truth: KITTI's annotated depth PNGs.

    Args:
        depth_root: folder of `train` and `val` of the annotated depth archive.

    Raises:
        FileNotFoundError: the folder has neither.
    """
    if not any(Path(depth_root, part).is_dir() for part in ('train', 'val')):
        raise FileNotFoundError(
            f'expected KITTI\'s annotated depth in {depth_root}, got no folder "train" or "val" '
            'there. Unpack data_depth_annotated.zip ("depth prediction" page of the KITTI site).'
        )

    def read(frame: KittiFrame) -> np.ndarray | None:
        path = annotated_depth_path(depth_root, frame)
        return None if path is None else read_depth_png(path)

    return read


def export_ground_truth(
    frames: Sequence[KittiFrame],
    read: Callable[[KittiFrame], np.ndarray | None],
    out: str | Path,
    source: TruthSource,
    split: str,
) -> ExportReport:
    """Write the maps of the frames to `out/<name>.npz` (float32 metres, 0 = none).

    Existing maps are kept, so an interrupted export continues and a growing download is added.
    `files.txt` lists the frames with a map, in the order of the split; `export.json` records
    source, split and the number of its frames.

    Args:
        read: returns the map of a frame, or None if its measurement is not on disk.
        source, split: recorded in `export.json`.

    Raises:
        DepthDataError: the folder has the export of another source or split, or no frame of the
            split could be exported.
    """
    out = Path(out)
    digest = hashlib.sha256('\n'.join(map(str, frames)).encode()).hexdigest()[:16]
    _require_same_export(out / INFO_FILE, source, split, digest)
    written, kept, missing = 0, 0, []
    for frame in tqdm(frames, desc='maps', mininterval=1):
        path = out / f'{frame.name}.npz'
        if path.is_file():
            kept += 1
            continue
        depth = read(frame)
        if depth is None:
            missing.append(frame)
        else:
            write_depth_map(depth, path)
            written += 1
    if not written + kept:
        raise DepthDataError(
            f'expected measurements ({source}) of {len(frames)} frames of {split}, got none on '
            f'disk; first frame: {frames[0]}. Check with: hybrid-depth prepare-kitti check ROOT'
        )
    absent = set(missing)
    write_split([frame for frame in frames if frame not in absent], out / LIST_FILE)
    info = dict(
        source=source,
        split=split,
        split_digest=digest,
        frames=len(frames),
        maps=written + kept,
        complete=not missing,
    )
    with atomic_file(out / INFO_FILE, 'w') as file:
        json.dump(info, file, indent=2)
    return ExportReport(written, kept, missing)


def _require_same_export(info_file: Path, source: str, split: str, digest: str) -> None:
    if not info_file.is_file():
        return
    info = read_json(info_file)
    if (info['source'], info['split_digest']) != (source, digest):
        raise DepthDataError(
            f'{info_file.parent}: expected to add to ground truth of {source} for {split}, got a '
            f'folder of {info["source"]} for {info["split"]} ({info["frames"]} frames). Give '
            'another folder, or remove that one.'
        )
