# Cityscapes as Mono-ViFI trains on it: stacked triplets, affine views, jitter drawn for every
# frame; scored frames come with both neighbours (docs/reference/mono_vifi.md, "Affine draw").
_base_ = './cityscapes.py'

image_size = (512, 192)  # width, height
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='AffineFrames', size=image_size),
    _base_.train_pipeline[2],
    dict(_base_.train_pipeline[3], per_frame=True),
    _base_.train_pipeline[4],
]

train_dataloader = dict(dataset=dict(panels='stacked', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), missing_neighbours='repeat'))
test_dataloader = val_dataloader
