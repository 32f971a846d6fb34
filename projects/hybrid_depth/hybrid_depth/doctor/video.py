"""Checks of KITTI and user videos on disk: images, gaps, cameras, sweeps, motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..calibration_checks import check_camera, field_of_view
from ..datasets.image_files import image_size, open_image
from ..datasets.kitti.splits import KittiFrame
from ..datasets.kitti.tree import KittiOdometryTree, KittiRawTree
from ..datasets.video.frame_motion import frame_motion
from ..errors import DepthDataError

if TYPE_CHECKING:
    from ..datasets.video.video_folder import VideoFolderDataset

_MOTION_PAIRS = 5
_STANDING = 1.0  # smallest motion of a moving camera, pixels at width 640


@dataclass
class ClipReport:
    """Report on the images of one camera of a drive, sequence or clip.

    Attributes:
        name: drive and side, or clip.
        images: number of images.
        formats: file suffixes.
        gaps: missing frame numbers between the first and the last.
        size: (width, height).
        cam2img: (3, 3) intrinsics, or None.
        motion: mean optical flow between neighbours over a few pairs, pixels at width 640.
        sweeps: number of Velodyne sweeps of the drive; None for layouts without sweeps.
        problems: problems found, one sentence each.
    """

    name: str
    images: int
    formats: list[str] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    size: tuple[int, int] | None = None
    cam2img: np.ndarray | None = None
    motion: float | None = None
    sweeps: int | None = None
    problems: list[str] = field(default_factory=list)


def _motion(images: dict[int, Path]) -> float | None:
    pairs = [(number, number + 1) for number in images if number + 1 in images]
    if not pairs:
        return None
    chosen = pairs[:: max(1, len(pairs) // _MOTION_PAIRS)][:_MOTION_PAIRS]
    return float(np.mean([frame_motion(images[a], images[b]) for a, b in chosen]))


def _damaged(paths: Sequence[Path]) -> list[str]:
    found = []
    for path in paths:
        try:
            open_image(path)
        except DepthDataError as error:
            found.append(str(error))
    return found


def check_clip(
    name: str,
    images: dict[int, Path],
    cam2img: Callable[[], np.ndarray],
    sweeps: int | None = None,
    read_all: bool = False,
) -> ClipReport:
    """Check the images of one camera.

    Args:
        images: paths by frame number.
        cam2img: returns the camera's intrinsics, or raises.
        read_all: read every image, to find damaged ones.
    """
    report = ClipReport(name, len(images), sweeps=sweeps)
    if not images:
        report.problems.append('no images')
        return report
    report.formats = sorted({path.suffix for path in images.values()})
    report.gaps = sorted(set(range(min(images), max(images))) - set(images))
    try:
        report.size = image_size(next(iter(images.values())))
        report.cam2img = cam2img()
        check_camera(report.cam2img, name, report.size)
        report.motion = _motion(images)
    except (DepthDataError, FileNotFoundError) as error:
        report.problems.append(str(error))
    if read_all:
        report.problems += _damaged(list(images.values()))
    if report.motion is not None and report.motion < _STANDING:
        report.problems.append(
            f'the image moves {report.motion:.2f} pixels between frames: the camera is almost '
            'static; omit such frames, or use more distant neighbours (frame_step)'
        )
    return report


def _raw_clips(tree: KittiRawTree, read_all: bool) -> Iterator[ClipReport]:
    for drive in tree.drives():
        for side in 'lr':
            images = tree.images(drive, side)
            if images or side == 'l':
                frame = KittiFrame(drive, 0, side)
                yield check_clip(
                    f'{drive} {side}',
                    images,
                    lambda frame=frame: tree.cam2img(frame),
                    len(tree.sweeps(drive)),
                    read_all,
                )


def _odometry_clips(root: Path, read_all: bool) -> Iterator[ClipReport]:
    for sequence in sorted(path.name for path in (root / 'sequences').iterdir()):
        for cameras in ((0, 1), (2, 3)):
            tree = KittiOdometryTree(root, cameras=cameras)
            for side, camera in tree.cameras.items():
                images = tree.images(sequence, side)
                if images:
                    frame = KittiFrame(sequence, 0, side)
                    yield check_clip(
                        f'sequence {sequence} camera {camera}',
                        images,
                        lambda tree=tree, frame=frame: tree.cam2img(frame),
                        read_all=read_all,
                    )


def _video_clips(videos: VideoFolderDataset, root: Path, read_all: bool) -> Iterator[ClipReport]:
    for clip, images in videos.clips.items():
        yield check_clip(
            str(clip.relative_to(root)),
            dict(enumerate(images)),
            lambda clip=clip: videos.camera_of(clip),
            read_all=read_all,
        )


def check_root(root: str | Path, read_all: bool = False) -> Iterator[ClipReport]:
    """Reports on the drives of a KITTI raw root, odometry sequences, or clips of a folder.

    Raises:
        FileNotFoundError: the root has no images.
    """
    root = Path(root)
    if (root / 'sequences').is_dir():
        return _odometry_clips(root, read_all)
    try:
        tree = KittiRawTree(root)
    except FileNotFoundError as not_kitti:
        from ..datasets.video.video_folder import (
            VideoFolderDataset,  # imports torch, which takes seconds
        )

        try:
            videos = VideoFolderDataset(str(root), lazy_init=True)
        except FileNotFoundError:
            raise not_kitti from None
        return _video_clips(videos, root, read_all)
    return _raw_clips(tree, read_all)


def clip_text(report: ClipReport) -> str:
    """Text of a report, a few lines."""
    lines = [f'{report.name}: {report.images} images {" ".join(report.formats)}']
    if report.gaps:
        lines.append(f'  {len(report.gaps)} frames are missing in between, first {report.gaps[0]}')
    if report.size is not None:
        lines.append(f'  size {report.size[0]}x{report.size[1]}')
    if report.cam2img is not None:
        (fx, _, cx), (_, fy, cy) = report.cam2img[:2]
        across, down = field_of_view(report.cam2img, report.size)
        lines.append(f'  K fx {fx:.2f} fy {fy:.2f} cx {cx:.2f} cy {cy:.2f}')
        lines.append(f'  angle of view {across:.1f} x {down:.1f} degrees')
    if report.motion is not None:
        lines.append(f'  motion {report.motion:.1f} pixels per frame (at width 640)')
    if report.sweeps is not None:
        lines.append(f'  {report.sweeps} Velodyne sweeps')
    return '\n'.join(lines + [f'  PROBLEM: {problem}' for problem in report.problems])


@dataclass
class SplitReport:
    """Completeness of a split list on disk.

    Attributes:
        frames: number of frames in the list.
        missing: frame numbers without an image, by drive.
        absent_drives: drives without any image.
        without_neighbours: number of frames on disk without the frame before or after.
        without_sweep: number of frames on disk without a Velodyne sweep.
    """

    frames: int
    missing: dict[str, list[int]]
    absent_drives: list[str]
    without_neighbours: int
    without_sweep: int

    @property
    def complete(self) -> bool:
        """Whether every image of the list is on disk."""
        return not self.missing


def check_split(frames: Sequence[KittiFrame], tree: KittiRawTree) -> SplitReport:
    """Compare a split list with the files on disk."""
    missing: dict[str, list[int]] = {}
    without_neighbours = without_sweep = 0
    sweeps = {drive: tree.sweeps(drive) for drive in {frame.folder for frame in frames}}
    for frame in frames:
        images = tree.images(frame.folder, frame.side)
        if frame.number not in images:
            missing.setdefault(frame.folder, []).append(frame.number)
            continue
        without_neighbours += not {frame.number - 1, frame.number + 1} <= images.keys()
        without_sweep += frame.number not in sweeps[frame.folder]
    absent = [
        drive for drive in missing if not tree.images(drive, 'l') and not tree.images(drive, 'r')
    ]
    return SplitReport(len(frames), missing, sorted(absent), without_neighbours, without_sweep)


def split_text(report: SplitReport, name: str) -> str:
    """Text of a report; of missing frames the first of each drive."""
    absent = sum(len(numbers) for numbers in report.missing.values())
    there = report.frames - absent
    lines = [
        f'split {name}: {there} of {report.frames} frames on disk'
        + ('' if report.complete else ' (PARTIAL)'),
        f'  {report.without_neighbours} of them lack a neighbour, '
        f'{report.without_sweep} a Velodyne sweep',
    ]
    lines += [f'  drive not on disk: {drive}' for drive in report.absent_drives]
    lines += [
        f'  {drive}: {len(numbers)} frames missing, first {numbers[0]}'
        for drive, numbers in sorted(report.missing.items())
        if drive not in report.absent_drives
    ]
    return '\n'.join(lines)
