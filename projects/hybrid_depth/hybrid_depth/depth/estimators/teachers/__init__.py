"""Depth foundation models behind the estimator contract, for inference only."""

from .depth_anything_3 import DepthAnything3
from .transformers_depth import TransformersDepth

__all__ = ['DepthAnything3', 'TransformersDepth']
