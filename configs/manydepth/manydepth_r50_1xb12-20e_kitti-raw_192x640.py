# ManyDepth with ResNet-50 for the depth of several frames; teacher and motion as with ResNet-18.
_base_ = 'manydepth_r18_1xb12-20e_kitti-raw_192x640.py'

model = dict(encoder=dict(depth=50))
