# KITTI raw as Hybrid-depth's stage 2 trains on it: 224x672, and a colour jitter drawn for each
# frame of a triplet (docs/reference/hybrid_depth.md, "Stage 2 training").
_base_ = './kitti_raw_mono.py'
image_size = (672, 224)  # width, height

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], size=image_size),
    dict(_base_.train_pipeline[3], per_frame=True),
    _base_.train_pipeline[4],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], size=image_size),
    _base_.test_pipeline[2],
]
train_dataloader = dict(batch_size=16, num_workers=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
