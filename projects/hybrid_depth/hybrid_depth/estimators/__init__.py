"""Trainable depth models."""

from .base import DepthEstimator
from .data_preprocessor import DepthDataPreprocessor
from .language_alignment import LanguageAlignment
from .monodepth2 import Monodepth2
from .pose_nets import ClassTokenPoseNet, Frame, PoseCNN, PoseNet, ResNetPoseNet, SharedPoseNet

__all__ = [
    'ClassTokenPoseNet',
    'DepthDataPreprocessor',
    'DepthEstimator',
    'Frame',
    'LanguageAlignment',
    'Monodepth2',
    'PoseCNN',
    'PoseNet',
    'ResNetPoseNet',
    'SharedPoseNet',
]
