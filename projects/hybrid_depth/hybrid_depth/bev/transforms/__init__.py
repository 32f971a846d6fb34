"""Pipeline transforms of multi-camera samples."""

from .bev_augmentation import BEVAugmentation
from .ego_boxes import LoadEgoBoxes
from .image_augmentation import ImageAugmentation
from .lidar_depth import LoadLidarDepth
from .load_images import LoadMultiViewImages
from .pack_bev_inputs import PackBEVInputs

__all__ = [
    'BEVAugmentation',
    'ImageAugmentation',
    'LoadEgoBoxes',
    'LoadLidarDepth',
    'LoadMultiViewImages',
    'PackBEVInputs',
]
