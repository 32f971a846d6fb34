"""Data sets; those of `BEV` need mmdet3d. Modules are imported when a name is first used."""

from ..lazy import lazy_names

DEPTH = dict(
    cached=['CachedDataset'],
    depth_errors=['DepthDataError'],
    kitti_raw=['KittiOdometryDataset', 'KittiRawDataset'],
    nuscenes_video=['NuScenesVideoDataset'],
    sequence_batches=['SequenceBatchSampler'],
    tusimple=['TuSimpleLaneDataset'],
    video_folder=['VideoFolderDataset'],
)
BEV = dict(nuscenes=['NuScenesBEVDataset'])

__getattr__, __all__ = lazy_names(__name__, DEPTH | BEV)
