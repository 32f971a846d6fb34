"""Depth decoders (feature maps to disparity) with one interface."""

from .base import DepthDecoder
from .dhrnet import DHRNetDecoder
from .dpt import DPTDecoder
from .lite_mono import LiteMonoDecoder
from .monodepth import Monodepth2Decoder

__all__ = ['DHRNetDecoder', 'DPTDecoder', 'DepthDecoder', 'LiteMonoDecoder', 'Monodepth2Decoder']
