# BEVDet with the hybrid depth net and the previous key frame.
_base_ = [
    '../bevdet_hybrid.py',
    '../_base_/models/adjacent_frames.py',
]

model = dict(
    temporal=_base_.temporal,
    img_bev_encoder_backbone=dict(in_channels=2 * 80),
)
default_hooks = dict(sequential=dict(type='SequentialControlHook'))

train_dataloader = dict(dataset=dict(dataset=dict(num_adj=1)))
val_dataloader = dict(dataset=dict(num_adj=1))
test_dataloader = val_dataloader
