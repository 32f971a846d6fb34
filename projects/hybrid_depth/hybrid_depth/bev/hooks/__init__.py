"""Training schedules of detectors, and images of a test run."""

from .bev_visualization_hook import BEVVisualizationHook
from .depth_first import DepthFirstHook
from .sequential_control import SequentialControlHook

__all__ = ['BEVVisualizationHook', 'DepthFirstHook', 'SequentialControlHook']
