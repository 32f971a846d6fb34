# Monodepth2 with ResNet-50 for depth and motion.
_base_ = 'monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'

model = dict(encoder=dict(depth=50), pose_net=dict(depth=50))
