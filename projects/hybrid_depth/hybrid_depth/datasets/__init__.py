"""Data sets. Those for depth need no mmdet3d; nuScenes registers where mmdet3d is installed."""

from ..optional import absent_bev_packages
from .cached import CachedDataset
from .depth_errors import DepthDataError
from .kitti_raw import KittiOdometryDataset, KittiRawDataset
from .sequence_batches import SequenceBatchSampler
from .tusimple import TuSimpleLaneDataset
from .video_folder import VideoFolderDataset

__all__ = [
    'CachedDataset',
    'DepthDataError',
    'KittiOdometryDataset',
    'KittiRawDataset',
    'SequenceBatchSampler',
    'TuSimpleLaneDataset',
    'VideoFolderDataset',
]

if not absent_bev_packages():
    from .nuscenes import NuScenesBEVDataset  # noqa: F401 (these register)
    from .nuscenes_video import NuScenesVideoDataset  # noqa: F401

    __all__ += ['NuScenesBEVDataset', 'NuScenesVideoDataset']
