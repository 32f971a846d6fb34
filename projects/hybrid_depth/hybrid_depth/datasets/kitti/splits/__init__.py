"""Lists of KITTI frames: the built-in Eigen test split, lists from files, lists made from disk
(`make_split`, which needs the tree of files and is imported from its own module)."""

from .eigen_test import EIGEN_TEST_DRIVES, eigen_test_frames
from .split_file import KittiFrame, read_split, write_split

__all__ = [
    'EIGEN_TEST_DRIVES',
    'KittiFrame',
    'eigen_test_frames',
    'read_split',
    'write_split',
]
