# ManyDepth (arXiv 2104.14540) with ResNet-18 on KITTI, 192x640.
_base_ = [
    '../_base_/models/manydepth_r18.py',
    '../_base_/datasets/kitti_raw_multi_frame.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/manydepth_20e.py',
]
