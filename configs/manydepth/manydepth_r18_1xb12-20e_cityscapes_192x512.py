# ManyDepth with ResNet-18 on Cityscapes: the teacher is frozen after five epochs.
_base_ = [
    '../_base_/models/manydepth_r18.py',
    '../_base_/datasets/cityscapes.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/manydepth_20e.py',
]

default_hooks = dict(freeze_teacher=dict(epoch=5))
