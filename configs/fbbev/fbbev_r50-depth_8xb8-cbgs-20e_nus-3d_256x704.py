# FB-BEV with ResNet-50 and the camera-aware depth net: forward projection by lift and splat,
# foreground cells refined by depth-aware attention (docs/reference/fb_bev.md, "Method"). Official
# weights do not exist, hence RGB input, bin centres, cell centres, floored voxel indices, ego frame
# of LiDAR time. Sizes are not the paper's (docs/reference/fb_bev.md, "Sizes"): 80 channels, one
# head for all classes and LiDAR depth, as in bevdet_r50-depth_*.
_base_ = [
    '../bevdet/bevdet_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py',
    '../_base_/models/depth_aware_refinement.py',
]

model = dict(
    img_backbone=dict(channel_order='rgb'),
    img_view_transformer=dict(
        grid=dict(rounding='floor'), depth_bins=dict(anchor='centre'), frustum_align='centres'
    ),
    refine=_base_.refine,
)

frames = dict(ego_frame=None, box_frame=None)
train_dataloader = dict(dataset=dict(dataset=frames))
val_dataloader = dict(dataset=frames)
test_dataloader = val_dataloader
