"""Embodied depth of a data set on disk."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..datasets.calibrated_frames import CalibratedFrame, Clip
from ..datasets.depth_map_files import read_depth_png, write_depth_png
from ..datasets.image_files import image_size
from ..datasets.label_images import label_path, read_label_image, write_label_image
from ..digests import digest, file_digest
from ..errors import DepthDataError
from ..files import atomic_file
from ..geometry import EmbodiedDepth, GroundPlaneFit
from .depth_accuracy import DepthAccuracy
from .plane_fitting import PlaneFitting, lidar_pixels
from .plane_records import PlaneRecords

Labels = Callable[[Path, tuple[int, int]], np.ndarray]
MANIFEST = 'manifest.json'
PLANES = 'planes.json'


@dataclass(frozen=True)
class EmbodiedWriter:
    """Writes OUT/depth, OUT/provenance and OUT/planes.json, resumable and in shards.

    Depth PNGs have KITTI's format (metres times 256, 0 = invalid), both folders mirror the images.
    Planes that are fitted are those of a whole clip (`PlaneFitting.over_time`).

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
        """Process clips: the fits of a whole clip, then the depth of its frames.

        Fits of the same files and calibration are not repeated, nor is depth of the same plane.

        Args:
            clips: of `shard`.
            facts: settings, written to the manifest; existing files of other settings are rejected.
            rank: number of this process.

        Yields:
            Twice per frame: after its fit, whether a plane was measured; False after its depth.

        Raises:
            DepthDataError: the folder has embodied depth of other settings, or the data of a frame
                is damaged.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        _same_settings(self.out / MANIFEST, facts)
        fits, planes = (PlaneRecords(self.out, kind, rank) for kind in ('fits', 'planes'))
        for clip in clips:
            yield from self._clip(clip, fits, planes)
        planes.merge(self.out / PLANES)

    def _clip(self, clip: Clip, fits: PlaneRecords, planes: PlaneRecords) -> Iterator[bool]:
        names = [frame.image.relative_to(self.root).as_posix() for frame in clip]
        origins = [self._origin(frame) for frame in clip]
        nominal = [GroundPlaneFit.from_calibration(frame.plane) for frame in clip]
        labels, found = _ClipLabels(self.labels), []
        for index, (name, origin) in enumerate(zip(names, origins, strict=True)):
            fit = fits.find(name, origin) if self.fitting.fits else nominal[index]
            if fit is None:
                fit = self.fitting(clip, index, labels(clip[index].image), nominal[index])
                fits.add(name, fit, origin)
            found.append(fit)
            yield bool(fit.used)
        smooth = self.fitting.over_time(found, nominal)
        for frame, name, origin, plane in zip(clip, names, origins, smooth, strict=True):
            held = planes.find(name, origin)
            same = held is not None and np.array_equal(held.inverse, plane.inverse)
            if not same or not all(path.is_file() for path in self._paths(frame)):
                self._depth(frame, labels(frame.image), plane)
                planes.add(name, plane, origin)
            yield False

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

    def _depth(self, frame: CalibratedFrame, labels: np.ndarray, plane: GroundPlaneFit) -> None:
        """Write the depth and provenance of a frame."""
        instances = None
        if self.instances is not None:
            path = label_path(self.instances, frame.image, self.root)
            instances = read_label_image(path, labels.shape[::-1])
        found = self.model(labels, frame.cam2img, plane.plane, instances)
        depth, provenance = self._paths(frame)
        write_label_image(found.provenance[0, 0].numpy(), provenance)
        write_depth_png(found.depth[0, 0].numpy(), depth)

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


class _ClipLabels:
    """Train ids of the images of a clip, made once; they wait, compressed, for the fits of all."""

    def __init__(self, source: Labels) -> None:
        self._source, self._packed = source, {}

    def __call__(self, image: Path) -> np.ndarray:
        size = image_size(image)
        if image not in self._packed:
            self._packed[image] = zlib.compress(self._source(image, size).tobytes(), 1)
        values = bytearray(zlib.decompress(self._packed[image]))
        return np.frombuffer(values, np.uint8).reshape(size[::-1])


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
