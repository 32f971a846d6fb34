# Monodepth2 (arXiv 1806.01260) with ResNet-18 on KITTI, monocular, 192x640.
_base_ = [
    '../_base_/models/monodepth2_r18.py',
    '../_base_/datasets/kitti_raw_mono.py',
    '../_base_/schedules/monodepth2_20e.py',
    '../_base_/depth_runtime.py',
]
