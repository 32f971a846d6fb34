# The toy world as KITTI raw tree:
#   hybrid-depth make-toy-world data/toy_kitti --layout kitti
#   hybrid-depth prepare-kitti export-gt data/toy_kitti data/toy_kitti/gt/toy \
#       --split splits/toy/val_files.txt --source improved
# Its ground truth is dense, so all pixels up to 80 m are evaluated. Small images and stereo pairs
# let a training of minutes on two CPU cores converge; from random weights, with neighbouring frames
# only, it does not.
_base_ = './kitti_raw_mono.py'

data_root = 'data/toy_kitti/'
image_size = (192, 64)  # width, height

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], size=image_size),
    *_base_.train_pipeline[3:],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], size=image_size),
    _base_.test_pipeline[2],
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
        moving='moving',
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(truth=data_root + 'gt/toy', protocol=dict(_delete_=True, name='toy_kitti'))
test_evaluator = val_evaluator
