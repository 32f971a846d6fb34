# The toy world with lane labels: hybrid-depth make-toy-world data/toy_lanes --layout tusimple
_base_ = './tusimple_lanes.py'

data_root = 'data/toy_lanes/'

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='FlipFrames'),
    dict(type='ResizeShortSide', short_side=112, multiple=16),
    dict(type='JitterFrames', prob=1.0),
    dict(type='LanePatches'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeShortSide', short_side=112, multiple=16),
    dict(type='LanePatches'),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    num_workers=2,
    dataset=dict(times=4, dataset=dict(data_root=data_root, pipeline=train_pipeline)),
)
val_dataloader = dict(
    _base_.test_dataloader,
    num_workers=2,
    dataset=dict(_base_.test_dataloader.dataset, data_root=data_root, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='PatchOrderMetric')
test_evaluator = val_evaluator
