"""BEV detector and its data preprocessor."""

from .bevdet import BEVDet
from .data_preprocessor import BEVDataPreprocessor

__all__ = ['BEVDataPreprocessor', 'BEVDet']
