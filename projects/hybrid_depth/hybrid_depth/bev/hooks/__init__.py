"""Hooks of detectors: training schedules, and visualizations of test runs."""

from .bev_visualization_hook import BEVVisualizationHook
from .depth_first import DepthFirstHook
from .sequential_control import SequentialControlHook

__all__ = ['BEVVisualizationHook', 'DepthFirstHook', 'SequentialControlHook']
