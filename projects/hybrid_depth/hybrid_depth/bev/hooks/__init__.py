"""Hooks of detectors: training schedules, and visualizations of test runs, true depth."""

from .bev_visualization_hook import BEVVisualizationHook
from .depth_first import DepthFirstHook
from .sequential_control import SequentialControlHook
from .true_depth import TrueDepthHook

__all__ = ['BEVVisualizationHook', 'DepthFirstHook', 'SequentialControlHook', 'TrueDepthHook']
