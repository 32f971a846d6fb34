# The toy detector with the camera-aware depth net and the previous key frame.
_base_ = 'bevdet_depth_toy.py'

model = dict(
    temporal=dict(type='AdjacentFrames'), img_bev_encoder_backbone=dict(in_channels=2 * 32)
)

train_dataloader = dict(dataset=dict(dataset=dict(num_adj=1)))
test_dataloader = dict(dataset=dict(num_adj=1))
