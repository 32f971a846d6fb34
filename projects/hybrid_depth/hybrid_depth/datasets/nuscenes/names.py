"""Cameras, classes and splits of nuScenes, without its devkit."""

from ...errors import HybridDepthError

CAMERAS = (
    'CAM_FRONT_LEFT', 'CAM_FRONT', 'CAM_FRONT_RIGHT', 'CAM_BACK_LEFT', 'CAM_BACK', 'CAM_BACK_RIGHT',
)  # fmt: skip
CLASSES = (
    'car', 'truck', 'construction_vehicle', 'bus', 'trailer', 'barrier', 'motorcycle', 'bicycle',
    'pedestrian', 'traffic_cone',
)  # fmt: skip
# version -> {name of the info file: name of the devkit's split}
SPLITS = {
    'v1.0-mini': dict(train='mini_train', val='mini_val'),
    'v1.0-trainval': dict(train='train', val='val'),
    'v1.0-test': dict(test='test'),
}


class InfoError(HybridDepthError, ValueError):
    """Data set without what info files need, or unusable info file."""
