# Mono-ViFI with Lite-Mono. The published weights start from ImageNet, which timm does not have.
_base_ = [
    '../_base_/models/mono_vifi_litemono.py',
    '../_base_/datasets/kitti_raw_mono_vifi.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/mono_vifi_20e.py',
]

train_dataloader = dict(batch_size=8)
