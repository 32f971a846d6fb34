"""Registers what depth models need, and makes loading of checkpoints and info files safe.

Configs of depth models name it in ``custom_imports``; others name `modules`, which adds the BEV
modules. It imports neither mmdet3d nor mmcv.
"""

import importlib

from .quick_imports import quick_imports

_MODULES = (
    'foundation',
    'datasets.cached',
    'datasets.cityscapes',
    'datasets.ddad.dataset',
    'datasets.kitti.annotated',
    'datasets.kitti.raw',
    'datasets.nuscenes.video',
    'datasets.tusimple',
    'datasets.video.info_video',
    'datasets.video.video_folder',
    'engine.hooks',
    'engine.mixed_precision',
    'engine.repeated_parameters',
    'checkpoints.encoder_weights',
    'depth.interpolation',
    'depth.encoders',
    'depth.decoders',
    'depth.latent',
    'depth.pose',
    'depth.estimators',
    'depth.hooks',
    'depth.transforms',
    'depth.evaluation.metric',
    'depth.evaluation.patch_order',
    'inference.depth_visualization_hook',
    'robustness.transforms',
)

with quick_imports():
    from . import checkpoints, info_files  # noqa: F401 (makes mmengine.load safe)

    for _module in _MODULES:
        importlib.import_module(f'hybrid_depth.{_module}')

checkpoints.install()
