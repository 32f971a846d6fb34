"""Depth decoders (feature maps to disparity) with one interface."""

from .base import DepthDecoder
from .dpt import DPTDecoder
from .monodepth import Monodepth2Decoder

__all__ = ['DPTDecoder', 'DepthDecoder', 'Monodepth2Decoder']
