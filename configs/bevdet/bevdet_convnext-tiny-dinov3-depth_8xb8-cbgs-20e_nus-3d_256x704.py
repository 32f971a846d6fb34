# BEVDet with the camera-aware depth net on DINOv3's ConvNeXt-T, an image backbone of timm. A new
# model, so: RGB input, bin centres, cell centres, floored voxel indices, ego frame of LiDAR time.
_base_ = 'bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(
    img_backbone=dict(
        _delete_=True,
        type='TimmBackbone',
        name='convnext_tiny.dinov3_lvd1689m',
        pretrained='hub',
        out_indices=(2, 3),
        channel_order='rgb',
    ),
    img_neck=dict(in_channels=[384, 768]),
    img_view_transformer=dict(
        grid=dict(rounding='floor'),
        depth_bins=dict(anchor='centre'),
        frustum_align='centres',
    ),
)

frames = dict(ego_frame=None, box_frame=None)
train_dataloader = dict(dataset=dict(dataset=frames))
val_dataloader = dict(dataset=frames)
test_dataloader = val_dataloader
