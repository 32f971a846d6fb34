# Monodepth2 with ResNet-18 from random weights on the stereo pairs of the toy KITTI tree.
_base_ = [
    '../_base_/models/monodepth2_r18.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

# more and larger steps than for the transformers, in the same time on two CPU cores
max_epochs = 12
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))

model = dict(
    encoder=dict(pretrained=None),
    # 3.5 m: from a larger initial depth the side of a passing truck is not learned
    decoder=dict(start=0.15),
    pose_net=None,
    sources=('s',),
    channels_last=True,
)
