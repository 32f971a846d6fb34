# Monodepth2-R18 from random weights on the frames of one KITTI drive (make bench-kitti), to check
# the complete pipeline on real video. Evaluated on the frames that have a sweep; no LiDAR in
# training.
# Environment: HYBRID_DEPTH_KITTI, folder of the days; HYBRID_DEPTH_TRUTH, ground truth made by
# hybrid-depth prepare-kitti export-gt.
_base_ = [
    '../_base_/models/monodepth2_r18.py',
    '../_base_/datasets/kitti_raw_mono.py',
    '../_base_/depth_runtime.py',
]
data_root = '{{$HYBRID_DEPTH_KITTI:data/kitti}}/'
truth = '{{$HYBRID_DEPTH_TRUTH:work_dirs/kitti_drive/gt}}'

model = dict(encoder=dict(pretrained=None), pose_net=dict(pretrained=None))

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    dataset=dict(data_root=data_root, split='all', intrinsics='calibrated'),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(data_root=data_root, split=truth + '/files.txt', intrinsics='calibrated'),
)
test_dataloader = val_dataloader
val_evaluator = dict(truth=truth)
test_evaluator = val_evaluator

max_epochs = 15
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='MultiStepLR', by_epoch=True, milestones=[12], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='ValidateFirstHook')]
default_hooks = dict(logger=dict(interval=23), checkpoint=dict(interval=3, max_keep_ckpts=2))
log_processor = dict(window_size=23)
