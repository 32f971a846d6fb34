"""Depth encoders (images to feature maps) with one interface."""

from .base import DepthEncoder, DepthFeatures
from .clip_encoder import CLIPDepthEncoder
from .dhrnet import DHRNetEncoder
from .hybrid import HybridDepthEncoder
from .lite_mono import LiteMonoEncoder
from .resnet import ResNetDepthEncoder
from .timm_encoder import TimmDepthEncoder

__all__ = [
    'CLIPDepthEncoder',
    'DHRNetEncoder',
    'DepthEncoder',
    'DepthFeatures',
    'HybridDepthEncoder',
    'LiteMonoEncoder',
    'ResNetDepthEncoder',
    'TimmDepthEncoder',
]
