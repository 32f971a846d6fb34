"""Split lists made from the drives on disk, as an alternative to the official lists."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import NamedTuple

from tqdm import tqdm

from ....errors import DepthDataError
from ...video.frame_motion import frame_motion
from ..tree import KittiRawTree
from .eigen_test import EIGEN_TEST_DRIVES
from .split_file import KittiFrame


class MadeSplit(NamedTuple):
    """Training list, validation list and counts of omitted frames.

    Attributes:
        train, val: lists of frames.
        left_out: number of omitted frames by reason.
    """

    train: list[KittiFrame]
    val: list[KittiFrame]
    left_out: dict[str, int]


def _candidates(tree: KittiRawTree, sides: str) -> list[KittiFrame]:
    """All frames on disk except those of the Eigen test drives."""
    drives = [drive for drive in tree.drives() if drive not in EIGEN_TEST_DRIVES]
    return [
        KittiFrame(drive, number, side)
        for drive in drives
        for side in sides
        for number in tree.images(drive, side)
    ]


def make_split(
    tree: KittiRawTree,
    of: Iterable[KittiFrame] | None = None,
    sides: str = 'lr',
    min_motion: float = 0.0,
    val_share: float = 0.1,
    seed: int = 0,
) -> MadeSplit:
    """Split of the frames on disk that are usable for training.

    Same criteria as eigen_zhou (no test drive, both neighbours exist, the camera moves), but not
    the same list: state this beside results.

    Args:
        tree: the drives.
        of: use only frames of this list; None for all frames outside the Eigen test drives.
        sides: cameras, 'l', 'r' or 'lr'.
        min_motion: smallest motion to the next frame (`frame_motion`, pixels at width 640); 0
            reads no images.
        val_share: fraction of the validation list, drawn at random with `seed`.

    Raises:
        DepthDataError: no frame meets the criteria.
    """
    frames = _candidates(tree, sides) if of is None else list(of)
    left_out = {'not on disk': 0, 'without both neighbours': 0, 'standing still': 0}
    kept = []
    for frame in tqdm(frames, desc='frames', disable=min_motion <= 0, mininterval=1):
        images = tree.images(frame.folder, frame.side)
        if frame.number not in images:
            left_out['not on disk'] += 1
        elif frame.number - 1 not in images or frame.number + 1 not in images:
            left_out['without both neighbours'] += 1
        elif 0 < min_motion > frame_motion(images[frame.number], images[frame.number + 1]):
            left_out['standing still'] += 1
        else:
            kept.append(frame)
    if not kept:
        raise DepthDataError(f'{tree.root}: expected frames to train on, got none: {left_out}')
    validation = set(random.Random(seed).sample(range(len(kept)), round(val_share * len(kept))))
    return MadeSplit(
        [frame for index, frame in enumerate(kept) if index not in validation],
        [frame for index, frame in enumerate(kept) if index in validation],
        left_out,
    )
