# IFRNet, large, on KITTI, from random weights. The published ones start from weights of Vimeo90K.
_base_ = [
    '../_base_/models/ifrnet_large.py',
    '../_base_/datasets/kitti_raw_interpolation.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/interpolation_150e.py',
]
