"""Clips below a folder: which folders are video, and which frames are missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from ...errors import DepthDataError
from ..image_files import IMAGE_SUFFIXES, images_in, is_16_bit

#: Folders of labels and outputs, also of this project, that are not video.
_NOT_VIDEO = {
    'annotations', 'color', 'depth', 'disparity', 'instance', 'label', 'labels', 'mask', 'masks',
    'moving', 'provenance', 'semantic', 'visualizations',
}  # fmt: skip
_GAP = 0.5  # steps; names with times of capture are not quite regular


def find_clips(root: Path) -> dict[Path, list[Path]]:
    """Images by folder, of all folders below a root that are video; logs what is left out.

    Raises:
        FileNotFoundError: no such folder, or no images.
    """
    if not root.is_dir():
        raise FileNotFoundError(f'expected a folder of frames, got {root}, which does not exist')
    folders = [root, *sorted(path for path in root.rglob('*') if path.is_dir())]
    clips, skipped, copies = {}, [], 0
    for folder in folders:
        images = images_in(folder)
        if images and _is_video(folder.relative_to(root), images):
            clips[folder] = without_copies(images)
            copies += len(images) - len(clips[folder])
        elif images:
            skipped.append(folder)
    if skipped or copies:
        print_log(
            f'{root}: left out {len(skipped)} folders of hidden files, labels or depth maps'
            f'{f", such as {skipped[0]}" if skipped else ""}, and {copies} copies of images with '
            'another ending',
            logger='current',
        )
    if not clips:
        raise FileNotFoundError(
            f'expected frames ({", ".join(IMAGE_SUFFIXES)}) in or below {root}, got none'
        )
    return clips


def _is_video(folder: Path, images: list[Path]) -> bool:
    """Whether a folder, relative to the root, has frames; the root itself has."""
    parts = [part.lower() for part in folder.parts]
    if any(part.startswith('.') or part in _NOT_VIDEO for part in parts):
        return False
    with suppress(DepthDataError):  # a damaged image, which is named when it is read
        return not parts or not is_16_bit(images[0])
    return True


def without_copies(images: list[Path]) -> list[Path]:
    """Images in order, of several with one stem the first in `IMAGE_SUFFIXES`."""
    best: dict[str, Path] = {}
    for image in sorted(images, key=lambda path: IMAGE_SUFFIXES.index(path.suffix.lower())):
        best.setdefault(image.stem, image)
    kept = set(best.values())
    return [image for image in images if image in kept]


def frame_numbers(images: list[Path]) -> np.ndarray | None:
    """`in_steps` of the last numbers in the names of images; None if the names tell nothing."""
    found = [re.findall(r'\d+', image.stem, re.ASCII) for image in images]
    return in_steps([int(parts[-1]) for parts in found]) if all(found) else None


def in_steps(numbers: Sequence[int]) -> np.ndarray | None:
    """Places of frames in their video, in units of the usual distance of two frames.

    Args:
        numbers: place or time of each frame, in order.

    Returns:
        (N,) floats; None if there is no usual distance.
    """
    steps = [after - before for before, after in zip(numbers, numbers[1:], strict=False)]
    usual = sorted(steps)[(len(steps) - 1) // 2] if steps else 0  # the shorter one of two
    if usual <= 0:
        return None
    # differences first: times in nanoseconds are too long for floats
    return np.array([float(number - numbers[0]) / usual for number in numbers])


def are_missing_between(steps: np.ndarray | None, first: int, second: int) -> bool:
    """Whether frames are missing between two, by their `in_steps`: these are no neighbours."""
    if steps is None:
        return False
    return abs(steps[second] - steps[first] - (second - first)) > _GAP
