"""Temporal fusion of BEV maps."""

from .adjacent_frames import AdjacentFrames
from .history import History

__all__ = ['AdjacentFrames', 'History']
