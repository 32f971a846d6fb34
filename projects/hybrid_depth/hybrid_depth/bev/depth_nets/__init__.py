"""Depth nets (image features to a distribution over depth bins) and their supervision."""

from .base import DepthDistribution, DepthNet
from .camera_aware import CameraAwareDepthNet
from .encoder import EncoderDepthNet
from .plain import PlainDepthNet
from .supervision import LidarDepthTarget

__all__ = [
    'CameraAwareDepthNet',
    'DepthDistribution',
    'DepthNet',
    'EncoderDepthNet',
    'LidarDepthTarget',
    'PlainDepthNet',
]
