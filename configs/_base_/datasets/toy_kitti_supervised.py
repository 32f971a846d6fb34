# The toy world's KITTI tree with its dense depth, for supervised training:
#   hybrid-depth make-toy-world data/toy_kitti --layout kitti
# All pixels up to 80 m are evaluated, in metres as predicted.
_base_ = './kitti_supervised.py'

data_root = 'data/toy_kitti/'
image_size = (192, 64)  # width, height
resize = dict(type='ResizeFrames', size=image_size)

train_pipeline = [*_base_.train_pipeline[:3], resize, *_base_.train_pipeline[4:]]
test_pipeline = [*_base_.test_pipeline[:3], resize, *_base_.test_pipeline[4:]]

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        depth_root=data_root,
        split='splits/toy/train_files.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        depth_root=data_root,
        split='splits/toy/val_files.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    protocol=dict(_delete_=True, name='toy_kitti_metres', scaling='none', resized='depth')
)
test_evaluator = val_evaluator
