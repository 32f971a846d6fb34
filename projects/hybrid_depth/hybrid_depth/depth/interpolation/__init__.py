"""Frame interpolation: images and optical flow between two frames of a video."""

from .ifrnet import IFRNet
from .output import Interpolation
from .training import FrameInterpolation

__all__ = ['FrameInterpolation', 'IFRNet', 'Interpolation']
