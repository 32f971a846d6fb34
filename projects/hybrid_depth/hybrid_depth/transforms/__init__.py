"""Pipeline steps. Those on frames (depth road) need no mmdet3d, those on camera rigs (BEV) do."""

from ..optional import absent_bev_packages
from .depth_flip import FlipFrames
from .depth_jitter import JitterFrames
from .depth_load import LoadFrames
from .depth_pack import PackFrames
from .depth_resize import ResizeFrames, ResizeShortSide
from .patches import GroundPatches, LanePatches

__all__ = [
    'FlipFrames',
    'GroundPatches',
    'JitterFrames',
    'LanePatches',
    'LoadFrames',
    'PackFrames',
    'ResizeFrames',
    'ResizeShortSide',
]

if not absent_bev_packages():
    from .bev_augmentation import BEVAugmentation  # noqa: F401 (these register)
    from .ego_boxes import LoadEgoBoxes  # noqa: F401
    from .image_augmentation import ImageAugmentation  # noqa: F401
    from .lidar_depth import LoadLidarDepth  # noqa: F401
    from .load_images import LoadMultiViewImages  # noqa: F401
    from .pack_bev_inputs import PackBEVInputs  # noqa: F401
    from .pseudo_depth import LoadPseudoDepth  # noqa: F401

    __all__ += [
        'BEVAugmentation',
        'ImageAugmentation',
        'LoadEgoBoxes',
        'LoadLidarDepth',
        'LoadMultiViewImages',
        'LoadPseudoDepth',
        'PackBEVInputs',
    ]
