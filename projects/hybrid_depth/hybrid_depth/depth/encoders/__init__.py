"""Depth encoders (images to feature maps) with one interface."""

from .base import DepthEncoder, DepthFeatures
from .clip_encoder import CLIPDepthEncoder
from .dhrnet import DHRNetEncoder
from .hybrid import HybridDepthEncoder
from .lite_mono import LiteMonoEncoder
from .prior import EmbodiedPrior, GroundPlanePrior, PriorEncoder
from .resnet import ResNetDepthEncoder
from .timm_encoder import TimmDepthEncoder

__all__ = [
    'CLIPDepthEncoder',
    'DHRNetEncoder',
    'DepthEncoder',
    'DepthFeatures',
    'EmbodiedPrior',
    'GroundPlanePrior',
    'HybridDepthEncoder',
    'LiteMonoEncoder',
    'PriorEncoder',
    'ResNetDepthEncoder',
    'TimmDepthEncoder',
]
