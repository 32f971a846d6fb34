"""Trainable depth models."""

from .base import DepthEstimator
from .data_preprocessor import DepthDataPreprocessor
from .depth_clip import DepthCLIP
from .embodiment import VisionLanguageEmbodiment
from .language_alignment import LanguageAlignment
from .manydepth import ManyDepth
from .mono_vifi import MonoViFI
from .monodepth2 import Monodepth2
from .supervised import SupervisedDepth
from .teachers import DepthAnything3, TransformersDepth
from .tta import DepthTTA
from .wordepth import WorDepth

__all__ = [
    'DepthAnything3',
    'DepthCLIP',
    'DepthDataPreprocessor',
    'DepthEstimator',
    'DepthTTA',
    'LanguageAlignment',
    'ManyDepth',
    'MonoViFI',
    'Monodepth2',
    'SupervisedDepth',
    'TransformersDepth',
    'VisionLanguageEmbodiment',
    'WorDepth',
]
