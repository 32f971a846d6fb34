# TuSimple's lanes as in Hybrid-depth's stage 1 (docs/reference/hybrid_depth.md, "Lane labels").
# Join the label files of train_set: cat label_data_*.json > train_label_data.json. The release
# draws 26,784 images per epoch, about 7 passes over all 3,626.
_base_ = './depth_loaders.py'

data_root = 'data/tusimple/'

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', short_side=224, multiple=14),
    dict(type='JitterFrames', prob=1.0),
    dict(type='LanePatches'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', short_side=224, multiple=14),
    dict(type='LanePatches'),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=6,
    num_workers=6,
    **_base_.train_loader,
    dataset=dict(
        type='RepeatDataset',
        times=7,
        dataset=dict(
            type='TuSimpleLaneDataset',
            data_root=data_root + 'train_set/',
            ann_file='train_label_data.json',
            pipeline=train_pipeline,
        ),
    ),
)
test_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='TuSimpleLaneDataset',
        data_root=data_root + 'test_set/',
        ann_file='test_label.json',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(type='PatchOrderMetric')
