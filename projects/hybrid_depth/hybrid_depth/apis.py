"""Python API for inference with trained models.

    from hybrid_depth.apis import infer_depth, init_depth_model
    model = init_depth_model(
        'configs/monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py', 'mono_640x192.pth'
    )
    for result in infer_depth(model, 'images/'):
        print(result.name, result.kind, result.unit, result.depth.min())

Each function has an example in its docstring. The BEV functions need mmdet3d; the depth functions
do not.
"""

from . import depth_modules  # noqa: F401 (registers models for configs without custom_imports)
from .depth.estimators.init import init_depth_model
from .inference.bev import infer_bev, init_bev_model
from .inference.calibrate import calibrate, write_calibrated
from .inference.depth import DepthResult, infer_depth, stream_depth

__all__ = [
    'DepthResult',
    'calibrate',
    'infer_bev',
    'infer_depth',
    'init_bev_model',
    'init_depth_model',
    'stream_depth',
    'write_calibrated',
]
