"""Scores. Those of depth need no mmdet3d; nuScenes' registers where mmdet3d is installed."""

from ..optional import absent_bev_packages
from .depth_metric import DepthMetric
from .depth_protocols import PROTOCOLS, DepthProtocol, load_protocol
from .patch_order import PatchOrderMetric

__all__ = ['DepthMetric', 'DepthProtocol', 'PROTOCOLS', 'PatchOrderMetric', 'load_protocol']

if not absent_bev_packages():
    from .nuscenes_metric import NuScenesBEVMetric  # noqa: F401 (registers)

    __all__ += ['NuScenesBEVMetric']
