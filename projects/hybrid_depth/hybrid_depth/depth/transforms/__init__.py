"""Pipeline transforms of frames."""

from .affine import AffineFrames
from .crop import BottomCrop
from .depth_maps import KeepTruth, LoadDepthMaps
from .ego_mask import LoadEgoMask
from .flip import FlipFrames
from .jitter import JitterFrames
from .lidar import LoadLidarDepthMap
from .load import LoadFrames
from .pack import PackFrames
from .patches import GroundPatches, LanePatches
from .resize import ResizeFrames, ResizeShortSide
from .text import LoadText
from .triplet import AugmentTriplet

__all__ = [
    'AffineFrames',
    'AugmentTriplet',
    'BottomCrop',
    'FlipFrames',
    'GroundPatches',
    'JitterFrames',
    'KeepTruth',
    'LanePatches',
    'LoadDepthMaps',
    'LoadEgoMask',
    'LoadFrames',
    'LoadLidarDepthMap',
    'LoadText',
    'PackFrames',
    'ResizeFrames',
    'ResizeShortSide',
]
