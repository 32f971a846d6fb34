"""Fusion of BEV maps over time."""

from .history_fusion import HistoryFusion

__all__ = ['HistoryFusion']
