"""Fusion of BEV maps over time."""

from .adjacent_frames import AdjacentFrames
from .history import History

__all__ = ['AdjacentFrames', 'History']
