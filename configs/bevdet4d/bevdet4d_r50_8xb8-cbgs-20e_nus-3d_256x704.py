# BEVDet4D-R50: BEVDet-R50 and the previous key frame; widths of the official weights.
_base_ = [
    '../bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py',
    '../_base_/models/adjacent_frames.py',
]

model = dict(
    img_view_transformer=dict(context_channels=80),
    temporal=_base_.temporal,
    img_bev_encoder_backbone=dict(in_channels=2 * 80, channels=(160, 320, 640)),
    img_bev_encoder_neck=dict(in_channels=160 + 640),
)
default_hooks = dict(sequential=dict(type='SequentialControlHook'))

train_dataloader = dict(dataset=dict(dataset=dict(num_adj=1)))
val_dataloader = dict(dataset=dict(num_adj=1))
test_dataloader = val_dataloader
