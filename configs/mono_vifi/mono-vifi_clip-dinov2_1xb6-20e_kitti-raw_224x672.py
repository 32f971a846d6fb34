# Mono-ViFI with the hybrid encoder of Hybrid-depth on KITTI: a combination of this toolkit.
_base_ = [
    '../_base_/models/mono_vifi_hybrid.py',
    '../_base_/datasets/kitti_raw_hybrid.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/mono_vifi_20e.py',
]

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='AffineFrames', size=_base_.image_size),
    *_base_.train_pipeline[2:],
]
train_dataloader = dict(
    batch_size=6, dataset=dict(pipeline=train_pipeline, missing_neighbours='repeat')
)
val_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), missing_neighbours='repeat'))
test_dataloader = val_dataloader
