# ManyDepth with ResNet-18 from random weights on the toy KITTI tree. The teacher learns from stereo
# pairs as well, which give motion and depth a start that a short run does not find from video.
_base_ = [
    '../_base_/models/manydepth_r18.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

max_epochs = 12
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(freeze_teacher=dict(epoch=9))

model = dict(
    encoder=dict(pretrained=None),
    decoder=dict(start=0.15),
    teacher=dict(
        encoder=dict(pretrained=None),
        decoder=dict(start=0.15),
        pose_net=dict(pretrained=None),
        sources=(-1, 1, 's'),
    ),
    cost_volume=dict(num_bins=48),
    channels_last=True,
)
train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1, 's')))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1), missing_neighbours='black'))
test_dataloader = val_dataloader
