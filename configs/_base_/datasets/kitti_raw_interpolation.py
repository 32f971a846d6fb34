# KITTI raw as IFRNet is trained on it: triplets resized by OpenCV, crops of 160x576
# (docs/reference/mono_vifi.md, "Frame interpolation").
_base_ = './kitti_raw_mono.py'

train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='ResizeFrames', size=(640, 192), interpolation='opencv'),
    dict(type='AugmentTriplet', size=(576, 160)),
    dict(type='PackFrames'),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
# there is no score
val_dataloader = test_dataloader = None
val_evaluator = test_evaluator = None
