# Second of two steps: photometric training on video from the weights of
# monodepth2-physics_r18_1xb12-20e_kitti-raw_192x640.py. A small weight on embodied depth holds the
# metres of the first step.
_base_ = 'monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'

load_from = 'work_dirs/monodepth2-physics_r18_1xb12-20e_kitti-raw_192x640/epoch_20.pth'
model = dict(physics_weight=0.1)
train_dataloader = dict(
    dataset=dict(
        intrinsics='calibrated',
        depth_folders=dict(physics_depth='data/kitti_embodied/depth'),
        pipeline=[
            _base_.train_pipeline[0],
            dict(type='LoadDepthMaps'),
            *_base_.train_pipeline[1:],
        ],
    )
)
val_dataloader = dict(dataset=dict(intrinsics='calibrated'))
test_dataloader = val_dataloader
val_evaluator = dict(
    protocol=dict(_delete_=True, base='kitti_eigen', name='kitti_eigen_metres', scaling='none')
)
test_evaluator = val_evaluator
