# DDAD for supervised depth: the four views of Vision-Language Embodiment
# (docs/reference/ddad.md, "Cameras"), depth of the LiDAR, metres as predicted.
_base_ = './depth_loaders.py'

data_root = 'data/ddad/'
image_size = (640, 384)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='LoadLidarDepthMap'),
    dict(type='FlipFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='JitterFrames'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='LoadLidarDepthMap'),
    dict(type='KeepTruth'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    **_base_.train_loader,
    dataset=dict(
        type='DDADDataset',
        data_root=data_root,
        split='train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='DDADDataset',
        data_root=data_root,
        split='val',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='DepthMetric', protocol='ddad')
test_evaluator = val_evaluator
