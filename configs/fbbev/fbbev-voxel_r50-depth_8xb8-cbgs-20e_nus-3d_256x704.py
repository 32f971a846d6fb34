# FB-BEV with four cells in z, which are channels for the BEV trunk.
_base_ = 'fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(
    img_view_transformer=dict(grid=dict(z=(-5.0, 3.0, 2.0))),
    img_bev_encoder_backbone=dict(in_channels=4 * 80),
)
