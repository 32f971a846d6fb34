# The toy world as KITTI raw tree:
#   hybrid-depth make-toy-world data/toy_kitti --layout kitti
#   hybrid-depth prepare-kitti export-gt data/toy_kitti data/toy_kitti/gt/toy \
#       --split splits/toy/val_files.txt --source improved
# Its ground truth is dense, so that all pixels up to 80 m count. Small images, learnt from stereo
# pairs, so that a run on two CPU cores takes minutes: from random weights and neighbours in time
# alone, a run as short as this one does not find the way (AbsRel 0.43 after one epoch, 0.94 after
# two), and each of its steps takes twice as long.
_base_ = './kitti_raw_mono.py'

data_root = 'data/toy_kitti/'
image_size = (192, 64)  # width, height

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
    batch_size=4,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        split='splits/toy/train_files.txt',
        intrinsics='calibrated',
        frame_ids=(0, 's'),
        stereo_baseline=0.1,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        split='splits/toy/val_files.txt',
        intrinsics='calibrated',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(truth=data_root + 'gt/toy', protocol=dict(_delete_=True, name='toy_kitti'))
test_evaluator = val_evaluator
