# Mono-ViFI (arXiv 2407.14126) with ResNet-18 on KITTI, 192x640.
_base_ = [
    '../_base_/models/mono_vifi_r18.py',
    '../_base_/datasets/kitti_raw_mono_vifi.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/mono_vifi_20e.py',
]
