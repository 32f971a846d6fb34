"""Trained models on pictures, videos and keyframes, and what they say on disk."""

from .depth_picture_hook import DepthPictureHook
from .online_pseudo_depth import OnlinePseudoDepthHook

__all__ = ['DepthPictureHook', 'OnlinePseudoDepthHook']
