"""Depth encoders (images to feature maps) with one interface."""

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
