# Monodepth2 with MyEncoder on the toy world.
_base_ = '../../configs/toy/monodepth2_r18_toy.py'

custom_imports = dict(imports=['hybrid_depth.depth_modules', 'my_encoder'])
model = dict(encoder=dict(_delete_=True, type='MyEncoder'))
