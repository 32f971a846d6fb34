"""Trained models on pictures, videos and keyframes, and what they say on disk."""

from .depth_picture_hook import DepthPictureHook

__all__ = ['DepthPictureHook']
