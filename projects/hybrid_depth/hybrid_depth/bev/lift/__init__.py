"""Lift and splat of image features into the BEV grid."""

from .view_transformer import LSSViewTransformer

__all__ = ['LSSViewTransformer']
