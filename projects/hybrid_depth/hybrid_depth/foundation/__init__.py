"""Foundation models: CLIP (open_clip) vision and text towers, DINO (timm), depth prompts."""

from .clip import CLIPTower, build_clip
from .dino import DINOTower, build_vit
from .images import InputNormalization, resize_images
from .prompts import DEPTH_WORDS, DepthPrompts
from .text import LanguageHead, TextTower, resample_channels

__all__ = [
    'DEPTH_WORDS',
    'CLIPTower',
    'DINOTower',
    'DepthPrompts',
    'InputNormalization',
    'LanguageHead',
    'TextTower',
    'build_clip',
    'build_vit',
    'resample_channels',
    'resize_images',
]
