# ManyDepth with ResNet-50 for the depth of several frames; teacher and motion as with ResNet-18.
_base_ = 'manydepth_r18_kitti.py'

model = dict(encoder=dict(depth=50))
