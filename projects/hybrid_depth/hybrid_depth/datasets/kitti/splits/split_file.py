"""Split lists: one frame per line, `<day>/<drive> <frame> <l|r>`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ....errors import DepthDataError
from ....files import atomic_file, file_name
from ....text_files import read_text
from ...image_files import IMAGE_SUFFIXES, numbered_files
from .eigen_test import eigen_test_frames

_CAMERAS = {'l': 2, 'r': 3}
_BUILT_IN, _ON_DISK = 'eigen', 'all'


class KittiFrame(NamedTuple):
    """Image of one camera at one time of a drive.

    Attributes:
        folder: drive below the root, such as '2011_09_26/2011_09_26_drive_0002_sync', or an
            odometry sequence such as '06'.
        number: frame number, the file's name without leading zeros.
        side: 'l' or 'r'.
    """

    folder: str
    number: int
    side: str = 'l'

    def __str__(self) -> str:
        return f'{self.folder} {self.number} {self.side}'

    @property
    def name(self) -> str:
        """File name without ending, one for every frame of every drive."""
        return file_name(f'{Path(self.folder).name}_{self.number:010d}_{self.side}')

    @property
    def image(self) -> str:
        """PNG image below the root of KITTI raw."""
        camera = f'image_{camera_number(self.side):02d}'
        return f'{self.folder}/{camera}/data/{self.number:010d}.png'

    @property
    def other_side(self) -> str:
        """Side of the other camera of the stereo pair."""
        return 'r' if self.side == 'l' else 'l'


def camera_number(side: str) -> int:
    """KITTI's colour camera of a side: 2 left, 3 right."""
    return _CAMERAS[side]


def _parse_line(line: str, where: str) -> KittiFrame:
    fields = line.split()
    if len(fields) == 2:  # without a side: the left camera
        fields.append('l')
    if len(fields) != 3 or not re.fullmatch('[0-9]{1,10}', fields[1]) or fields[2] not in _CAMERAS:
        raise DepthDataError(
            f'{where}: expected "<day>/<drive> <frame> <l|r>", such as '
            f'"2011_09_26/2011_09_26_drive_0002_sync 69 l", got "{line.strip()}"'
        )
    return KittiFrame(fields[0].rstrip('/'), int(fields[1]), fields[2])


def _frames_on_disk(root: Path) -> list[KittiFrame]:
    """All frames of KITTI raw's colour cameras below `root`."""
    frames = [
        KittiFrame(str(drive.relative_to(root)), number, side)
        for drive in sorted(root.glob('????_??_??/*_drive_*'))
        for side, camera in _CAMERAS.items()
        for number in numbered_files(drive / f'image_{camera:02d}' / 'data', IMAGE_SUFFIXES)
    ]
    if not frames:
        raise DepthDataError(f'{root}: expected KITTI drives with images, got none')
    return frames


def read_split(split: str | Path, root: str | Path = '.') -> list[KittiFrame]:
    """Read a list of frames.

    Args:
        split: 'eigen' for the built-in 697 test frames, 'all' for every image of the drives on
            disk, or a file, relative to the working directory or to `root`. The official lists are
            such files (splits/eigen_zhou/train_files.txt).
        root: data root.

    Raises:
        FileNotFoundError: no such file.
        DepthDataError: a line of another format, an empty list, or 'all' without images.
    """
    if str(split) == _BUILT_IN:
        return [KittiFrame(*frame) for frame in eigen_test_frames()]
    if str(split) == _ON_DISK:
        return _frames_on_disk(Path(root))
    places = [Path(split), Path(root, split)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f'expected a split list, got {split}: no file {places[0]} and no {places[1]}. Built in '
            f'are "{_BUILT_IN}" (697 test frames) and "{_ON_DISK}" (all frames on disk). Copy the '
            'official list there, or make one from the drives on disk: hybrid-depth prepare-kitti '
            'make-split ROOT OUT; files.txt is written with the ground truth: hybrid-depth '
            'prepare-kitti export-gt ROOT OUT'
        )
    lines = read_text(path).splitlines()
    frames = [
        _parse_line(line, f'{path}, line {number}')
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith('#')
    ]
    if not frames:
        raise DepthDataError(f'{path}: expected one frame per line, got an empty list')
    return frames


def write_split(frames: Iterable[KittiFrame], path: str | Path) -> None:
    """Write a list of frames, atomically."""
    with atomic_file(path, 'w') as file:
        file.writelines(f'{frame}\n' for frame in frames)
