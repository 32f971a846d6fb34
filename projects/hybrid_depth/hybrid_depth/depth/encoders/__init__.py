"""Depth encoders: images to feature maps, behind one contract."""

from .base import DepthEncoder, DepthFeatures
from .hybrid import HybridDepthEncoder
from .resnet import ResNetDepthEncoder
from .timm_encoder import TimmDepthEncoder

__all__ = [
    'DepthEncoder',
    'DepthFeatures',
    'HybridDepthEncoder',
    'ResNetDepthEncoder',
    'TimmDepthEncoder',
]
