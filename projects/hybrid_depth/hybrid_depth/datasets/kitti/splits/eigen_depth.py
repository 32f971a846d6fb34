"""Eigen lists for supervised depth: frames that have KITTI's annotated depth, left camera.

KITTI raw has 61 drives of the categories city, residential and road (42,382 frames). 28 of them are
the test drives; all frames of the other 33 (23,488) are the training list. Annotated depth is a
fusion of 11 sweeps, so that the first and last 5 frames of a drive have none: 23,158 frames remain
for training and 652 of the 697 for testing (docs/reference/kitti.md, "Lists").
"""

from __future__ import annotations

from .eigen_test import EIGEN_TEST_DRIVES

#: Frames at either end of a drive without annotated depth.
MARGIN = 5

# day: drive frames, in pairs
_TRAIN = """
2011_09_26: 1 108  5 154  11 233  14 314  15 297  17 114  18 270  19 481  22 800  28 430  32 390
2011_09_26: 35 131  39 395  51 438  57 361  60 78  61 703  70 420  79 100  87 729  91 340  95 268
2011_09_26: 104 312  113 87
2011_09_28: 1 106
2011_09_29: 4 339  26 158
2011_09_30: 20 1104  28 5177  33 1594  34 1224
2011_10_03: 34 4663  42 1170
"""
_TEST = """
2011_09_26: 2 77  9 447  13 144  20 86  23 474  27 188  29 430  36 803  46 125  48 22  52 78  56 294
2011_09_26: 59 373  64 570  84 383  86 706  93 433  96 475  101 936  106 227  117 660
2011_09_28: 2 376
2011_09_29: 71 1059
2011_09_30: 16 279  18 2762  27 1106
2011_10_03: 27 4544  47 837
"""


def _lengths(text: str) -> dict[str, int]:
    """Number of frames by drive."""
    lengths = {}
    for line in text.strip().split('\n'):
        day, pairs = line.split(': ')
        numbers = [int(number) for number in pairs.split()]
        for drive, frames in zip(numbers[::2], numbers[1::2], strict=True):
            lengths[f'{day}/{day}_drive_{drive:04d}_sync'] = frames
    return lengths


TRAIN_DRIVES, TEST_DRIVES = _lengths(_TRAIN), _lengths(_TEST)


def eigen_train_frames() -> list[tuple[str, int, str]]:
    """(folder, frame number, side) of the 23,158 training frames with annotated depth."""
    return [
        (folder, number, 'l')
        for folder, frames in TRAIN_DRIVES.items()
        for number in range(MARGIN, frames - MARGIN)
    ]


def eigen_benchmark_frames() -> list[tuple[str, int, str]]:
    """(folder, frame number, side) of the 652 test frames with annotated depth."""
    return [
        (folder, number, 'l')
        for folder, numbers in EIGEN_TEST_DRIVES.items()
        for number in numbers
        if MARGIN <= number < TEST_DRIVES[folder] - MARGIN
    ]
