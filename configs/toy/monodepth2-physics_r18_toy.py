# First of two steps to metric depth without LiDAR or labels of depth (arXiv 2408.01565): the
# network of monodepth2_r18_toy.py, supervised by embodied depth of the toy world's class labels:
#   hybrid-depth make-embodied-depth data/toy_kitti data/toy_kitti_embodied --kerb-height 0
# Evaluated in metres as predicted; the median-scaled errors stand beside.
_base_ = './monodepth2_r18_toy.py'

embodied = 'data/toy_kitti_embodied/depth'
model = dict(
    _delete_=True,
    type='SupervisedDepth',
    encoder=dict(type='ResNetDepthEncoder', depth=18),
    decoder=dict(type='Monodepth2Decoder', start=0.15),
    target='physics_depth',
    channels_last=True,
)
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='LoadDepthMaps'),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(
        frame_ids=(0,), depth_folders=dict(physics_depth=embodied), pipeline=train_pipeline
    )
)
val_evaluator = dict(protocol=dict(name='toy_kitti_metres', scaling='none'))
test_evaluator = val_evaluator

max_epochs = 3
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
