# First of two steps to metric depth without LiDAR (arXiv 2408.01565): Monodepth2's networks,
# supervised by embodied depth of KITTI's images, made once by hybrid-depth make-embodied-depth.
# Evaluated in metres as predicted; the median-scaled errors stand beside.
_base_ = 'monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'

model = dict(
    _delete_=True,
    type='SupervisedDepth',
    encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
    decoder=dict(type='Monodepth2Decoder'),
    target='physics_depth',
)
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='LoadDepthMaps'),
    *_base_.train_pipeline[1:],
]
train_dataloader = dict(
    dataset=dict(
        frame_ids=(0,),
        intrinsics='calibrated',
        depth_folders=dict(physics_depth='data/kitti_embodied/depth'),
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(dataset=dict(intrinsics='calibrated'))
test_dataloader = val_dataloader
val_evaluator = dict(
    protocol=dict(_delete_=True, base='kitti_eigen', name='kitti_eigen_metres', scaling='none')
)
test_evaluator = val_evaluator
