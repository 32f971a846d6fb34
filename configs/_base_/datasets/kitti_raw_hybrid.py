# KITTI raw as Hybrid-depth's stage 2 trains on it: 224x672, and a colour jitter drawn for each
# frame of a triplet (docs/reference/hybrid_depth.md, "Stage 2 training").
_base_ = './kitti_raw_mono.py'
image_size = (672, 224)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='FlipFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='JitterFrames', per_frame=True),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='PackFrames'),
]
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
