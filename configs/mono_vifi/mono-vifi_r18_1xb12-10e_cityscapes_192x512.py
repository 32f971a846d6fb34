# Mono-ViFI with ResNet-18 on Cityscapes: ten epochs, a tenth of the rate after seven.
_base_ = [
    '../_base_/models/mono_vifi_r18.py',
    '../_base_/datasets/cityscapes_mono_vifi.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/mono_vifi_20e.py',
]

train_cfg = dict(max_epochs=10)
param_scheduler = [dict(type='StepLR', by_epoch=True, step_size=7, gamma=0.1)]
