# BEVDet with MyDepthNet, supervised by LiDAR, on the toy world.
_base_ = '../../configs/toy/bevdet_plain_toy.py'

custom_imports = dict(imports=['hybrid_depth.modules', 'my_depth_net'])
depth_net = dict(type='MyDepthNet', depth_supervision=[dict(type='LidarDepthTarget')])
model = dict(img_view_transformer=dict(depth_net=depth_net))
