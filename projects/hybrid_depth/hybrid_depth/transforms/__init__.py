"""Pipeline steps, on frames (`DEPTH`) and on camera rigs (`BEV`, which need mmdet3d). Modules are
imported when a name is first used."""

from ..lazy import lazy_names

DEPTH = dict(
    depth_flip=['FlipFrames'],
    depth_jitter=['JitterFrames'],
    depth_load=['LoadFrames'],
    depth_pack=['PackFrames'],
    depth_resize=['ResizeFrames', 'ResizeShortSide'],
    patches=['GroundPatches', 'LanePatches'],
)
BEV = dict(
    bev_augmentation=['BEVAugmentation'],
    ego_boxes=['LoadEgoBoxes'],
    image_augmentation=['ImageAugmentation'],
    lidar_depth=['LoadLidarDepth'],
    load_images=['LoadMultiViewImages'],
    pack_bev_inputs=['PackBEVInputs'],
    pseudo_depth=['LoadPseudoDepth'],
)

__getattr__, __all__ = lazy_names(__name__, DEPTH | BEV)
