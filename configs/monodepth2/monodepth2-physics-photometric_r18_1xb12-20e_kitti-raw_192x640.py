# Second of two steps: photometric training on video from the weights of
# monodepth2-physics_r18_1xb12-20e_kitti-raw_192x640.py. Depth keeps the metres of the first step.
_base_ = 'monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'

load_from = 'work_dirs/monodepth2-physics_r18_1xb12-20e_kitti-raw_192x640/epoch_20.pth'
train_dataloader = dict(dataset=dict(intrinsics='calibrated'))
val_dataloader = dict(dataset=dict(intrinsics='calibrated'))
test_dataloader = val_dataloader
val_evaluator = dict(protocol=dict(base='kitti_eigen', name='kitti_eigen_metres', scaling='none'))
test_evaluator = val_evaluator
