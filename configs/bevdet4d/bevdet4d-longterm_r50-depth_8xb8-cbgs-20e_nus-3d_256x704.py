# BEVDet4D-R50-Depth with the eight previous key frames ("longterm").
_base_ = 'bevdet4d_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(temporal=dict(num_adj=8), img_bev_encoder_backbone=dict(in_channels=9 * 80))

train_dataloader = dict(dataset=dict(dataset=dict(num_adj=8)))
val_dataloader = dict(dataset=dict(num_adj=8))
test_dataloader = val_dataloader
