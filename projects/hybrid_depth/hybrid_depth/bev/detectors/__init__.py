"""BEV detector and its data preprocessor."""

from .bevdet import BEVDet
from .data_preprocessor import BEVDataPreprocessor
from .tta import DetectorTTA

__all__ = ['BEVDataPreprocessor', 'BEVDet', 'DetectorTTA']
