"""Detectors and their data preprocessor."""

from .bevdet import BEVDet
from .bevdet4d import BEVDet4D
from .data_preprocessor import BEVDataPreprocessor
from .fbbev import FBBEV

__all__ = ['FBBEV', 'BEVDataPreprocessor', 'BEVDet', 'BEVDet4D']
