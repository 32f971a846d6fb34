"""Pose networks: camera motion between two frames."""

from .decoder import PoseDecoder
from .encoders import PoseConvEncoder, PoseResNetEncoder
from .nets import ClassTokenPoseNet, Frame, PoseCNN, PoseNet, ResNetPoseNet, SharedPoseNet

__all__ = [
    'ClassTokenPoseNet',
    'Frame',
    'PoseCNN',
    'PoseConvEncoder',
    'PoseDecoder',
    'PoseNet',
    'PoseResNetEncoder',
    'ResNetPoseNet',
    'SharedPoseNet',
]
