# KITTI with annotated depth (docs/reference/kitti.md, "Annotated depth"): the Eigen lists, the
# benchmark crop, and the protocol of supervised depth. `depth_root` is the folder of train/ and
# val/ of data_depth_annotated.zip.
_base_ = './depth_loaders.py'

data_root = 'data/kitti/'
depth_root = 'data/kitti_depth/'
crop_size = (1216, 352)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='LoadDepthMaps'),
    dict(type='FlipFrames'),
    dict(type='BottomCrop', size=crop_size),
    dict(type='JitterFrames'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='LoadDepthMaps'),
    dict(type='KeepTruth'),
    dict(type='BottomCrop', size=crop_size),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    **_base_.train_loader,
    dataset=dict(
        type='KittiDepthDataset',
        data_root=data_root,
        depth_root=depth_root,
        split='eigen_train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='KittiDepthDataset',
        data_root=data_root,
        depth_root=depth_root,
        split='eigen_benchmark',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='DepthMetric', protocol='kitti_eigen_supervised')
test_evaluator = val_evaluator
