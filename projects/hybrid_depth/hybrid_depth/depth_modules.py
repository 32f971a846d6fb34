"""Registers what depth models need, and makes checkpoint loading safe.

Configs of depth models name it in ``custom_imports``, others name `modules`, which adds the BEV
road. It imports neither mmdet3d nor mmcv.
"""

import importlib

from .lazy import quick_imports

_ROOMS = ('foundation', 'encoders', 'decoders', 'estimators', 'engine', 'inference')
_LAZY_ROOMS = ('datasets', 'transforms', 'evaluation')

with quick_imports():
    from . import checkpoints

    for _room in _ROOMS:
        importlib.import_module(f'hybrid_depth.{_room}')
    for _room in _LAZY_ROOMS:
        for _module in importlib.import_module(f'hybrid_depth.{_room}').DEPTH:
            importlib.import_module(f'hybrid_depth.{_room}.{_module}')

checkpoints.install()
