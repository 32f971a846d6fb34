# Photometric training alone, on neighbours in time with predicted motion, as the second step of
# monodepth2-physics-photometric_r18_toy.py, from random weights. Depth has no scale.
_base_ = './monodepth2_r18_toy.py'

model = dict(
    pose_net=dict(_delete_=True, type='ResNetPoseNet', depth=18, pretrained=None), sources=(-1, 1)
)
train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1)))
val_evaluator = dict(protocol=dict(name='toy_kitti_metres', scaling='none'))
test_evaluator = val_evaluator

max_epochs = 3
train_cfg = dict(max_epochs=max_epochs, val_interval=1)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
optim_wrapper = dict(optimizer=dict(lr=1e-4))  # larger steps saturate the decoder without stereo
