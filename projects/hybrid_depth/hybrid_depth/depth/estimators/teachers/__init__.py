"""Depth foundation models behind the estimator contract, for inference only."""

from .transformers_depth import TransformersDepth

__all__ = ['TransformersDepth']
