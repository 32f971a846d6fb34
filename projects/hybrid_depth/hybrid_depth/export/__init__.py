"""ONNX files of trained models: written with PyTorch, run with onnxruntime and numpy alone.

``OnnxBEVDet`` and ``OnnxDepth`` import neither torch nor mmdet3d; what writes files is in the
modules ``detector`` and ``depth_model``, beside ``models``.
"""

from .onnx_bevdet import OnnxBEVDet
from .onnx_depth import OnnxDepth

__all__ = ['OnnxBEVDet', 'OnnxDepth']
