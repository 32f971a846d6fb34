"""Import of an own vehicle: from a description to info files that all configs read.

The info files are those of `create-nuscenes-infos` (docs/reference/nuscenes.md, "Info files"), with
the vehicle's frame as LiDAR frame: boxes, and LiDAR sweeps where there are any, are in the frame of
the vehicle at the time of the key frame. `metainfo` has besides: `cameras`, `ranges` (of each
class, metres), `data_prefix` (empty: paths are below the info file, or absolute), and `has_lidar`,
`has_poses` and `has_velocities`.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..calibration_checks import check_boxes, check_camera
from ..datasets.image_files import image_size, open_image
from ..datasets.nuscenes.names import INFO_VERSION
from ..digests import Origins, digest, file_digest
from ..engine.own_data import INFO_FILES
from ..files import atomic_file, file_name
from ..geometry import invert_rigid
from .description import Description, read_description, require_z_up
from .drive import Drive, RigCamera
from .errors import RigError
from .lens import Undistortion, undistortion
from .point_files import read_points, write_points
from .samples import KeyFrame, Losses, ego_boxes, key_frames, tracked_velocities

_RANGE = 50.0
_QUALITY = 95  # of JPEG


@dataclass
class ImportSummary:
    """Counts of one info file; `other` are boxes of classes that are not used, `dropped` those with
    NaN or a size that is not positive, `unseen` those in no image, which do not count."""

    path: Path
    samples: int = 0
    drives: int = 0
    boxes: Counter = field(default_factory=Counter)
    other: Counter = field(default_factory=Counter)
    dropped: int = 0
    unseen: int = 0
    lost: Losses = field(default_factory=Losses)

    def __str__(self) -> str:
        boxes = ', '.join(f'{name} {count}' for name, count in self.boxes.items())
        text = f'{self.path}: {self.samples} samples of {self.drives} drives, '
        text += f'{self.boxes.total()} boxes ({boxes})' if self.boxes.total() else 'no boxes'
        if self.unseen:
            text += f', {self.unseen} of them in no image'
        if self.other:
            text += f'; not used: {", ".join(f"{n} {c}" for n, c in self.other.items())}'
        if self.dropped:
            text += f'; dropped {self.dropped} boxes with NaN or a size that is not positive'
        if self.lost.reasons:
            text += f'; of {self.lost.moments} moments {self.lost}'
        return text


def import_rig(
    source: str | Path | Description, out: str | Path | None = None
) -> list[ImportSummary]:
    """Write the info files of an own vehicle, and undistorted images and sweeps where needed.

    Args:
        source: description in YAML, or a read one.
        out: output folder; None for the folder of the description.

    Returns:
        A summary of `rig_infos_train.pkl`, of `rig_infos_val.pkl` if there is validation data, and
        of `rig_infos_video.pkl` if the description says `video`.

    Raises:
        FileNotFoundError, DamagedFileError: as of `read_description`.
        RigError: nothing fits; the text names what does not.
    """
    description = source if isinstance(source, Description) else read_description(source)
    out = Path(out or description.source.parent)
    parts = _split(description)
    classes = description.classes or _all_names(parts)
    if description.video is not None:
        parts['video'] = _video(description)
    return [
        _write_part(out, part, pairs, classes, losses)
        for part, (pairs, losses) in parts.items()
        if pairs
    ]


_Pairs = list[tuple[Drive, list[KeyFrame]]]


def _split(description: Description) -> dict[str, tuple[_Pairs, Losses]]:
    """Drives with their key frames, by part."""
    parts: dict[str, tuple[_Pairs, Losses]] = dict(train=([], Losses()), val=([], Losses()))
    drives = [*description.drives, *description.val_drives]
    _require_same_cameras(drives)
    for place, drive in enumerate(drives):
        require_z_up(drive)
        part = 'train' if place < len(description.drives) else 'val'
        pairs, losses = parts[part]
        frames = key_frames(drive, description.keyframes, description.tolerance, losses)
        count = len(frames) - round(len(frames) * description.val)
        pairs.append((drive, frames[:count]))
        if frames[count:]:
            parts['val'][0].append((drive, frames[count:]))
    return parts


def _video(description: Description) -> tuple[_Pairs, Losses]:
    """Training drives, without their part for validation, as frames without boxes and LiDAR."""
    pairs, losses = [], Losses()
    for drive in description.drives:
        drive = replace(drive, boxes=None, lidar=None)
        frames = key_frames(drive, description.video, description.tolerance, losses)
        pairs.append((drive, frames[: len(frames) - round(len(frames) * description.val)]))
    return pairs, losses


def _require_same_cameras(drives: Sequence[Drive]) -> None:
    first = list(drives[0].cameras)
    for drive in drives[1:]:
        if list(drive.cameras) != first:
            raise RigError(
                f'drive {drive.name}: expected the cameras of drive {drives[0].name}, '
                f'{", ".join(first)}, got {", ".join(drive.cameras)}; import other vehicles '
                'into folders of their own'
            )


def _all_names(parts: dict[str, tuple[_Pairs, Losses]]) -> dict[str, float]:
    names = {
        drive.boxes.names[index]
        for pairs, _ in parts.values()
        for drive, frames in pairs
        if drive.boxes is not None
        for frame in frames
        for index in frame.boxes
    }
    return dict.fromkeys(sorted(names), _RANGE)


def _write_part(
    out: Path, part: str, pairs: _Pairs, classes: dict[str, float], losses: Losses
) -> ImportSummary:
    summary = ImportSummary(out / INFO_FILES[part], drives=len(pairs), lost=losses)
    summary.boxes.update(dict.fromkeys(classes, 0))  # named although there is none
    data_list = []
    for drive, frames in pairs:
        data_list += _Writer(out, drive, list(classes), summary).entries(frames)
    for index, info in enumerate(data_list):
        info['sample_idx'] = index
    summary.samples = len(data_list)
    drives = [drive for drive, _ in pairs]
    cameras = list(drives[0].cameras)
    meta = dict(
        dataset='rig',
        version='rig',
        info_version=INFO_VERSION,
        categories={name: label for label, name in enumerate(classes)},
        ranges=dict(classes),
        cameras=cameras,
        data_prefix=dict.fromkeys((*cameras, 'pts', 'sweeps'), ''),
        has_lidar=all(drive.lidar is not None for drive in drives),
        has_poses=all(drive.trajectory is not None for drive in drives),
        has_velocities=_has_velocities(data_list),
    )
    with atomic_file(summary.path) as file:
        pickle.dump(dict(metainfo=meta, data_list=data_list), file)
    return summary


def _in_an_image(rows: np.ndarray, images: dict) -> np.ndarray:
    """(M,) the centre of a box is in an image, occluded or not."""
    seen = np.zeros(len(rows), bool)
    for entry in images.values():
        lidar2img = np.array(entry['cam2img']) @ np.array(entry['lidar2cam'])[:3]
        u, v, depth = (rows[:, :3] @ lidar2img[:, :3].T + lidar2img[:, 3]).T
        inside = (u >= 0) & (u < entry['width'] * depth) & (v >= 0)
        seen |= (depth > 0) & inside & (v < entry['height'] * depth)
    return seen


def _has_velocities(data_list: list[dict]) -> bool:
    found = [item['velocity'] for info in data_list for item in info.get('instances', ())]
    return bool(np.isfinite(np.array(found, float).reshape(-1, 2)).all(1).any())


class _Writer:
    """Entries of one drive, and the files that they need.

    Args:
        out: folder of the info files.
        drive: the drive.
        classes: names, by label.
        summary: is filled.
    """

    def __init__(self, out: Path, drive: Drive, classes: list[str], summary: ImportSummary) -> None:
        self.out, self.drive, self.classes, self.summary = out, drive, classes, summary
        self.name = file_name(drive.name)
        self.maps: dict[str, Undistortion] = {}
        for name, camera in drive.cameras.items():
            if camera.lens is not None:
                self.maps[name] = self._undistortion(name, camera)
                check_camera(self.maps[name].cam2img, name, self.maps[name].size)
        out.mkdir(parents=True, exist_ok=True)
        self.origins = Origins(out / 'undistorted.jsonl') if self.maps else None

    def _undistortion(self, name: str, camera: RigCamera) -> Undistortion:
        try:
            return undistortion(camera.lens, camera.cam2img, camera.size)
        except RigError as error:
            raise RigError(f'drive {self.drive.name}, camera {name}: {error}') from error

    def entries(self, frames: list[KeyFrame]) -> list[dict]:
        """The `data_list` entries of key frames."""
        tokens = ['', *(f'{self.name}-{round(frame.time * 1e6)}' for frame in frames), '']
        boxes = self.drive.boxes
        velocities: Iterator = iter(())
        if boxes is not None:
            velocities = tracked_velocities(frames, boxes)
        found = []
        for index, frame in enumerate(tqdm(frames, desc=f'drive {self.drive.name}')):
            images = {name: self._image(name, frame) for name in self.drive.cameras}
            info = dict(
                sample_idx=0,
                token=tokens[index + 1],
                scene_token=self.drive.name,
                scene_name=self.drive.name,
                prev=tokens[index],
                next=tokens[index + 2],
                frame_idx=index,
                timestamp=float(frame.time),
                ego2global=frame.ego2global.tolist(),
                lidar_points=self._sweep(frame, tokens[index + 1]),
                lidar_sweeps=[],
                images=images,
            )
            if boxes is not None:
                info['instances'] = self._instances(frame, next(velocities), images)
            found.append(info)
        return found

    def _image(self, name: str, frame: KeyFrame) -> dict:
        camera = self.drive.cameras[name]
        index, ego2global = frame.images[name]
        path = camera.images[index]
        if image_size(path) != camera.size:
            raise RigError(
                f'{path}: expected {camera.size[0]}x{camera.size[1]} pixels, as the first image of '
                f'{name}, got {image_size(path)[0]}x{image_size(path)[1]}; make two cameras of it'
            )
        cam2img, size = camera.cam2img, camera.size
        if name in self.maps:
            cam2img, size = self.maps[name].cam2img, self.maps[name].size
            path = self._undistorted(name, camera, path)
        cam2global = ego2global @ camera.cam2ego
        global2ego = invert_rigid(torch.from_numpy(frame.ego2global)).numpy()
        cam2key = torch.from_numpy(global2ego @ cam2global)
        return dict(
            img_path=self._relative(path),
            width=size[0],
            height=size[1],
            cam2img=cam2img.tolist(),
            cam2ego=camera.cam2ego.tolist(),
            ego2global=ego2global.tolist(),
            lidar2cam=invert_rigid(cam2key).tolist(),
            timestamp=float(camera.times[index]),
            sample_data_token=f'{self.name}-{file_name(name)}-{path.stem}',
        )

    def _undistorted(self, name: str, camera: RigCamera, path: Path) -> Path:
        """File of the undistorted image, written if it is not there or made from other input."""
        made = Path('undistorted', self.name, file_name(name), f'{file_name(path.stem)}.jpg')
        origin = dict(
            image=file_digest(path),
            lens=digest(camera.lens, camera.cam2img.tolist(), cv2.__version__),
        )
        file = self.out / made
        if not file.is_file() or self.origins.differences(made.as_posix(), origin):
            image = self.maps[name](np.asarray(open_image(path)))
            with atomic_file(file) as stream:
                Image.fromarray(image).save(stream, format='JPEG', quality=_QUALITY, subsampling=0)
            self.origins.add(made.as_posix(), origin)
        return file

    def _sweep(self, frame: KeyFrame, token: str) -> dict:
        """`lidar_points`; the sweep is written in the vehicle's frame at the key frame's time."""
        entry = dict(lidar2ego=np.eye(4).tolist())
        if frame.sweep is None:
            return entry
        index, ego2global = frame.sweep
        lidar = self.drive.lidar
        points = read_points(lidar.files[index], lidar.columns)
        to_key = np.linalg.inv(frame.ego2global) @ ego2global @ lidar.lidar2ego
        points[:, :3] = points[:, :3].astype(np.float64) @ to_key[:3, :3].T + to_key[:3, 3]
        path = self.out / 'lidar' / self.name / f'{token}.bin'
        write_points(points, path)
        return entry | dict(lidar_path=self._relative(path), num_pts_feats=4)

    def _instances(self, frame: KeyFrame, velocities: np.ndarray, images: dict) -> list[dict]:
        boxes = self.drive.boxes
        rows, _ = ego_boxes(frame, boxes)
        usable, seen = check_boxes(rows), _in_an_image(rows, images)
        found = []
        for index, place in enumerate(frame.boxes):
            name = boxes.names[place]
            known = name in self.classes
            good = bool(usable[index])
            (self.summary.boxes if known else self.summary.other)[name] += int(good)
            self.summary.dropped += int(not good)
            if not good:
                continue
            self.summary.unseen += int(known and not seen[index])
            points = 1 if boxes.points is None else int(boxes.points[place])
            found.append(
                dict(
                    bbox_3d=rows[index].tolist(),
                    bbox_label_3d=self.classes.index(name) if known else -1,
                    velocity=velocities[index].tolist(),
                    num_lidar_pts=points if seen[index] else 0,
                    bbox_3d_isvalid=bool(seen[index] and points > 0),
                )
            )
        return found

    def _relative(self, path: Path) -> str:
        """Path below the info file, or the absolute one of files elsewhere."""
        path, out = path.resolve(), self.out.resolve()
        return path.relative_to(out).as_posix() if path.is_relative_to(out) else str(path)
