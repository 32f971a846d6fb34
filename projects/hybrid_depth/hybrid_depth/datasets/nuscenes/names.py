"""Cameras, classes, attributes and splits of nuScenes, without its devkit."""

from ...errors import HybridDepthError

CAMERAS = (
    'CAM_FRONT_LEFT', 'CAM_FRONT', 'CAM_FRONT_RIGHT', 'CAM_BACK_LEFT', 'CAM_BACK', 'CAM_BACK_RIGHT',
)  # fmt: skip
CLASSES = (
    'car', 'truck', 'construction_vehicle', 'bus', 'trailer', 'barrier', 'motorcycle', 'bicycle',
    'pedestrian', 'traffic_cone',
)  # fmt: skip
ATTRIBUTES = (
    'vehicle.moving', 'vehicle.stopped', 'vehicle.parked', 'cycle.with_rider',
    'cycle.without_rider', 'pedestrian.sitting_lying_down', 'pedestrian.standing',
    'pedestrian.moving',
)  # fmt: skip
# version -> {name of the info file: name of the devkit's split}
SPLITS = {
    'v1.0-mini': dict(train='mini_train', val='mini_val'),
    'v1.0-trainval': dict(train='train', val='val'),
    'v1.0-test': dict(test='test'),
}

#: Version of the info files: mmdet3d's 1.1 with the boxes that the benchmark reads.
INFO_VERSION = '1.2'


class InfoError(HybridDepthError, ValueError):
    """Data set without what info files need, or unusable info file."""
