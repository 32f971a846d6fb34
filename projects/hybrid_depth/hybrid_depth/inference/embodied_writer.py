"""Embodied depth of a data set on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..datasets.calibrated_frames import CalibratedFrame, Clip
from ..datasets.depth_map_files import read_depth_png, write_depth_png
from ..datasets.image_files import image_size
from ..datasets.label_images import label_path, read_label_image, write_label_image
from ..digests import differences, digest, file_digest
from ..errors import DepthDataError
from ..files import atomic_file
from ..geometry import EmbodiedDepth, GroundPlaneFit
from .depth_accuracy import DepthAccuracy
from .plane_fitting import PlaneFitting, lidar_pixels

Labels = Callable[[Path, tuple[int, int]], np.ndarray]
MANIFEST = 'manifest.json'
PLANES = 'planes.json'


@dataclass(frozen=True)
class EmbodiedWriter:
    """Writes OUT/depth, OUT/provenance and OUT/planes.json, resumable and in shards.

    Depth PNGs have KITTI's format (metres times 256, 0 = invalid), both folders mirror the images.
    The planes of a clip are filtered over time if they are fitted.

    Args:
        out: output folder.
        root: folder of the images.
        model: embodied depth.
        labels: train ids (H, W) of an image of a size (width, height).
        instances: folder of instance images; None for connected components.
        fitting: fits of the planes.
    """

    out: Path
    root: Path
    model: EmbodiedDepth
    labels: Labels
    instances: Path | None
    fitting: PlaneFitting

    def shard(self, clips: list[Clip], rank: int, world: int) -> list[Clip]:
        """Clips of one of several processes; single frames, if nothing is fitted over time."""
        if not self.fitting.fits:
            clips = [[frame] for clip in clips for frame in clip]
        return clips[rank::world]

    def write(self, clips: list[Clip], facts: dict, rank: int = 0) -> Iterator[bool]:
        """Process clips; frames that are done, from the same files and calibration, are skipped.

        Args:
            clips: of `shard`.
            facts: settings, written to the manifest; existing files of other settings are rejected.
            rank: number of this process.

        Yields:
            Per frame, whether its plane was measured, not only expected.

        Raises:
            DepthDataError: the folder has embodied depth of other settings, or the data of a frame
                is damaged.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        _same_settings(self.out / MANIFEST, facts)
        done = read_planes(self.out)
        with open(self.out / f'planes_{rank:03d}.jsonl', 'a') as notes:
            notes.write('\n')  # ends the incomplete line of a killed process
            for clip in clips:
                state = None
                for index, frame in enumerate(clip):
                    name = frame.image.relative_to(self.root).as_posix()
                    nominal = GroundPlaneFit.from_calibration(frame.plane)
                    expected = None if state is None else state.predict(nominal)
                    origin, held = self._origin(frame), done.get(name, {})
                    kept = not differences(held.get('made_from', {}), origin)
                    if kept and all(path.is_file() for path in self._paths(frame)):
                        state = _fit(held)
                    else:
                        state = self._frame(clip, index, nominal, expected)
                        notes.write(json.dumps(_note(name, state, origin)) + '\n')
                        notes.flush()
                    yield bool(state.used)
        merge_planes(self.out)

    def _origin(self, frame: CalibratedFrame) -> dict[str, str]:
        """What the depth of a frame is made from, beside the settings."""
        plane = frame.plane
        origin = dict(
            image=file_digest(frame.image),
            calibration=digest(frame.cam2img.tolist(), plane.normal.tolist(), float(plane.height)),
        )
        # a segmentation network has no folder
        folders = dict(labels=getattr(self.labels, 'folder', None), instances=self.instances)
        for name, folder in folders.items():
            if folder is not None:
                origin[name] = file_digest(label_path(folder, frame.image, self.root))
        return origin

    def _frame(
        self, clip: Clip, index: int, nominal: GroundPlaneFit, expected: GroundPlaneFit | None
    ) -> GroundPlaneFit:
        frame = clip[index]
        size = image_size(frame.image)
        labels, instances = self.labels(frame.image, size), None
        if self.instances is not None:
            path = label_path(self.instances, frame.image, self.root)
            instances = read_label_image(path, size)
        fit = self.fitting(clip, index, labels, nominal)
        if expected is not None:
            fit = expected.fuse(fit) if fit.used else expected
        found = self.model(labels, frame.cam2img, fit.plane, instances)
        depth, provenance = self._paths(frame)
        write_label_image(found.provenance[0, 0].numpy(), provenance)
        write_depth_png(found.depth[0, 0].numpy(), depth)
        return fit

    def _paths(self, frame: CalibratedFrame) -> tuple[Path, Path]:
        folders = (self.out / 'depth', self.out / 'provenance')
        return tuple(label_path(folder, frame.image, self.root) for folder in folders)

    def accuracy(self, clips: list[Clip], truth: Path | None) -> Iterator[DepthAccuracy]:
        """The table of the written files, after each frame.

        Args:
            clips: frames.
            truth: folder of depth PNGs in KITTI's format that mirrors the images; None for the
                annotated depth of a frame, else its LiDAR.
        """
        table = DepthAccuracy()
        for frame in (frame for clip in clips for frame in clip):
            depth_path, provenance_path = self._paths(frame)
            file = frame.truth if truth is None else label_path(truth, frame.image, self.root)
            if depth_path.is_file() and (file is not None and file.is_file() or frame.points):
                depth, provenance = read_depth_png(depth_path), read_label_image(provenance_path)
                if file is not None and file.is_file():
                    table.add(depth, provenance, read_depth_png(file))
                else:
                    rows, columns, points = lidar_pixels(frame, depth.shape)
                    table.add(depth[rows, columns], provenance[rows, columns], points[:, 2])
            yield table


def read_planes(out: Path) -> dict[str, dict]:
    """Records of all processes by image; incomplete lines of killed processes are skipped."""
    records = {}
    for path in sorted(out.glob('planes_*.jsonl')):
        for line in path.read_text().splitlines():
            try:
                record = json.loads(line)
                records[record['image']] = record
            except (json.JSONDecodeError, TypeError, KeyError):
                continue
    return records


def merge_planes(out: Path) -> None:
    """Write planes.json with the planes of all images; the last process to finish has all."""
    records = read_planes(out)
    with atomic_file(out / PLANES, 'w') as file:
        json.dump({name: records[name] for name in sorted(records)}, file, indent=1)


def _note(name: str, fit: GroundPlaneFit, origin: dict[str, str]) -> dict:
    plane = fit.plane
    return dict(
        image=name,
        normal=plane.normal.tolist(),
        height=float(plane.height),
        pitch_degrees=float(plane.pitch.rad2deg()),
        roll_degrees=float(plane.roll.rad2deg()),
        height_std=fit.height_std,
        pitch_std_degrees=float(np.degrees(fit.pitch_std)),
        roll_std_degrees=float(np.degrees(fit.roll_std)),
        measurements=fit.used,
        inverse=fit.inverse.tolist(),
        covariance=fit.covariance.tolist(),
        made_from=origin,
    )


def _fit(note: dict) -> GroundPlaneFit:
    return GroundPlaneFit(
        np.array(note['inverse']), np.array(note['covariance']), note['measurements']
    )


def _same_settings(manifest: Path, facts: dict) -> None:
    if not manifest.is_file():
        with atomic_file(manifest, 'w') as file:
            json.dump(facts, file, indent=1)
        return
    held = json.loads(manifest.read_text())
    differing = [key for key in facts if held.get(key) != facts[key]]
    if differing:
        raise DepthDataError(
            f'{manifest.parent} has embodied depth of other settings: expected '
            + ', '.join(f'{key} {facts[key]!r} (got {held.get(key)!r})' for key in differing)
            + '; use another folder, or remove this one'
        )
