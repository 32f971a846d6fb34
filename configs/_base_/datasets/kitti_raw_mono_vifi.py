# KITTI raw as Mono-ViFI trains on it: affine views, jitter drawn for every frame, copies for frames
# that do not exist; scored frames come with both neighbours
# (docs/reference/mono_vifi.md, "Affine draw" and "Optimisation").
_base_ = './kitti_raw_mono.py'

image_size = (640, 192)  # width, height
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='AffineFrames', size=image_size),
    _base_.train_pipeline[2],
    dict(_base_.train_pipeline[3], per_frame=True),
    _base_.train_pipeline[4],
]

train_dataloader = dict(
    batch_size=10, dataset=dict(pipeline=train_pipeline, missing_neighbours='repeat')
)
val_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), missing_neighbours='repeat'))
test_dataloader = val_dataloader
