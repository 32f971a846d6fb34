# Small IFRNet on the toy KITTI tree, the interpolation of mono_vifi_r18_toy.py.
_base_ = [
    '../_base_/models/ifrnet_small.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/interpolation_150e.py',
]

max_epochs = 6
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [dict(_base_.param_scheduler[0], T_max=max_epochs)]
optim_wrapper = dict(optimizer=dict(lr=4e-4))

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeFrames', size=(192, 64), interpolation='opencv'),
    dict(type='AugmentTriplet', size=(160, 64)),
    dict(type='PackFrames'),
]
train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), pipeline=train_pipeline))
# there is no score
val_dataloader = test_dataloader = None
val_evaluator = test_evaluator = None
