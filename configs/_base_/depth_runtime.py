# Runtime of depth models: they need neither mmdet3d nor mmcv.
_base_ = './default_runtime.py'

custom_imports = dict(imports=['hybrid_depth.depth_modules'])
default_scope = 'mmengine'
default_hooks = dict(logger=dict(interval=20))
