"""Pipeline transforms of frames."""

from .affine import AffineFrames
from .flip import FlipFrames
from .jitter import JitterFrames
from .load import LoadFrames
from .pack import PackFrames
from .patches import GroundPatches, LanePatches
from .resize import ResizeFrames, ResizeShortSide
from .triplet import AugmentTriplet

__all__ = [
    'AffineFrames',
    'AugmentTriplet',
    'FlipFrames',
    'GroundPatches',
    'JitterFrames',
    'LanePatches',
    'LoadFrames',
    'PackFrames',
    'ResizeFrames',
    'ResizeShortSide',
]
