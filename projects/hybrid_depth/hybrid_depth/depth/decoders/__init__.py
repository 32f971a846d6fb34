"""Depth decoders: feature maps to disparity, behind one contract."""

from .base import DepthDecoder
from .dpt import DPTDecoder
from .monodepth import Monodepth2Decoder

__all__ = ['DPTDecoder', 'DepthDecoder', 'Monodepth2Decoder']
