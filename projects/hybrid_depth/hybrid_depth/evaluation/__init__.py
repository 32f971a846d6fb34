"""Scores; those of `BEV` need mmdet3d. Modules are imported when a name is first used."""

from ..lazy import lazy_names

DEPTH = dict(
    depth_metric=['DepthMetric'],
    depth_protocols=['PROTOCOLS', 'DepthProtocol', 'load_protocol'],
    patch_order=['PatchOrderMetric'],
)
BEV = dict(nuscenes_metric=['NuScenesBEVMetric'])

__getattr__, __all__ = lazy_names(__name__, DEPTH | BEV)
