# ManyDepth with ResNet-18 from random weights on the toy KITTI tree.
_base_ = [
    '../_base_/models/manydepth_r18.py',
    '../_base_/datasets/toy_kitti_multi_frame.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/toy_depth_12e.py',
]

model = dict(
    encoder=dict(pretrained=None),
    decoder=dict(start=0.15),
    teacher=dict(
        encoder=dict(pretrained=None),
        decoder=dict(start=0.15),
        pose_net=None,
        sources=(-1, 1, 's'),
    ),
    cost_volume=dict(num_bins=48),
)
default_hooks = dict(freeze_teacher=dict(epoch=9))
# clipped by their common norm, the small gradients of the teacher would follow the student's
optim_wrapper = dict(clip_grad=None)
