"""Export of ground-truth depth maps of KITTI frames, one file per frame."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from ...digests import Origins, file_digest
from ...errors import DepthDataError
from ...files import atomic_file
from ...text_files import read_json
from ..depth_map_files import read_depth_png, write_depth_map
from .splits import KittiFrame, write_split
from .splits.split_file import camera_number
from .tree import KittiRawTree, annotated_depth_path
from .velodyne import read_velodyne, velodyne_depth_map

TruthSource = Literal['velodyne', 'improved']
INFO_FILE, LIST_FILE, ORIGIN_FILE = 'export.json', 'files.txt', 'origins.jsonl'


class ExportReport(NamedTuple):
    """Result of an export.

    Attributes:
        written: number of maps written.
        kept: number of maps that existed already.
        missing: number of frames whose measurement is not on disk.
        changed: names of files that have changed since an earlier export, whose maps were written
            again.
    """

    written: int
    kept: int
    missing: list[KittiFrame]
    changed: list[str]


class Truth(NamedTuple):
    """Reader of the ground truth of frames.

    Attributes:
        read: map of a frame, or None if its measurement is not on disk.
        sources: files that the map of a frame is made from, by name.
    """

    read: Callable[[KittiFrame], np.ndarray | None]
    sources: Callable[[KittiFrame], dict[str, Path]]


def velodyne_truth(tree: KittiRawTree) -> Truth:
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

    def sources(frame: KittiFrame) -> dict[str, Path]:
        day = tree.root / frame.folder.split('/')[0]
        names = ('calib_cam_to_cam.txt', 'calib_velo_to_cam.txt')
        sweep = tree.sweeps(frame.folder).get(frame.number)
        return {**{name: day / name for name in names}, **({'sweep': sweep} if sweep else {})}

    return Truth(read, sources)


def improved_truth(depth_root: str | Path) -> Truth:
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

    def sources(frame: KittiFrame) -> dict[str, Path]:
        path = annotated_depth_path(depth_root, frame)
        return {'annotated depth': path} if path else {}

    return Truth(read, sources)


def export_ground_truth(
    frames: Sequence[KittiFrame],
    truth: Truth,
    out: str | Path,
    source: TruthSource,
    split: str,
) -> ExportReport:
    """Write the maps of the frames to `out/<name>.npz` (float32 metres, 0 = none).

    Existing maps are kept if they were made from the same files (`origins.jsonl`): an interrupted
    export continues, a growing download is added and a repaired calibration takes effect.
    `files.txt` lists the frames with a map, in the order of the split; `export.json` records
    source, split and the number of its frames.

    Args:
        truth: reader of the maps.
        source, split: recorded in `export.json`.

    Raises:
        DepthDataError: the folder has the export of another source or split, or no frame of the
            split could be exported.
    """
    out = Path(out)
    digest = hashlib.sha256('\n'.join(map(str, frames)).encode()).hexdigest()[:16]
    _require_same_export(out / INFO_FILE, source, split, digest)
    origins = Origins(out / ORIGIN_FILE)
    written, kept, missing, changed = 0, 0, [], set()
    for frame in tqdm(frames, desc='maps', mininterval=1):
        path = out / f'{frame.name}.npz'
        origin = {name: file_digest(file) for name, file in truth.sources(frame).items()}
        if path.is_file():
            differing = origins.differences(frame.name, origin)
            if not differing:
                kept += 1
                continue
            changed.update(differing)
        depth = truth.read(frame)
        if depth is None:
            path.unlink(missing_ok=True)  # its measurement has gone
            missing.append(frame)
        else:
            write_depth_map(depth, path)
            origins.add(frame.name, origin)
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
    return ExportReport(written, kept, missing, sorted(changed))


def _require_same_export(info_file: Path, source: str, split: str, digest: str) -> None:
    if not info_file.is_file():
        return
    info = read_json(info_file)
    if (info.get('source'), info.get('split_digest')) != (source, digest):
        raise DepthDataError(
            f'{info_file.parent}: expected to add to ground truth of {source} for {split}, got a '
            f'folder of {info.get("source")} for {info.get("split")}, {info.get("frames")} frames. '
            'Give another folder, or remove that one.'
        )
