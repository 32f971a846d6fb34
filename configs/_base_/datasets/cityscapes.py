# Cityscapes at 192x512 as in ManyDepth (docs/reference/manydepth.md, "Data"). Training: triplets of
# three frames in one image, in triplets/CITY. Scores: the frames of the test split, those before
# them from leftImg8bit_sequence, and one depth map per frame in gt/test, named as the frame
# (berlin_000000_000019.npy).
_base_ = './depth_loaders.py'

data_root = 'data/cityscapes/'
image_size = (512, 192)  # width, height

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
        type='CityscapesTripletDataset',
        data_root=data_root + 'triplets/',
        frame_ids=(0, -1, 1),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='CityscapesFrameDataset',
        data_root=data_root,
        split='test',
        frame_ids=(0, -1),
        missing_neighbours='black',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='DepthMetric', truth=data_root + 'gt/test', protocol='cityscapes')
test_evaluator = val_evaluator
