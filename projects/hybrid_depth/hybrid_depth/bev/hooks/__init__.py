"""Training schedules of detectors, and images of a test run."""

from .bev_image_hook import BEVPictureHook
from .depth_first import DepthFirstHook
from .sequential_control import SequentialControlHook

__all__ = ['BEVPictureHook', 'DepthFirstHook', 'SequentialControlHook']
