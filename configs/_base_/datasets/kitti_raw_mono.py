# KITTI raw, monocular triplets at 192x640 as in Monodepth2's training (docs/reference/kitti.md,
# "Training samples"). Training lists are the official files below data_root, or those of
# `hybrid-depth prepare-kitti make-split`; ground truth is that of its `export-gt`. Models override
# the lists they change.
_base_ = './depth_loaders.py'

data_root = 'data/kitti/'
image_size = (640, 192)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='FlipFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='JitterFrames'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=12,
    num_workers=12,
    **_base_.train_loader,
    dataset=dict(
        type='KittiRawDataset',
        data_root=data_root,
        split='splits/eigen_zhou/train_files.txt',
        frame_ids=(0, -1, 1),
        intrinsics='monodepth2',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='KittiRawDataset',
        data_root=data_root,
        split='gt/eigen/files.txt',  # the frames of the split that have ground truth on disk
        frame_ids=(0,),
        intrinsics='monodepth2',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='DepthMetric', truth=data_root + 'gt/eigen', protocol='kitti_eigen')
test_evaluator = val_evaluator
