# BEVDet-R50 with the camera-aware depth net, supervised by LiDAR depth (docs/reference/bevdet.md,
# "Depth target and loss"); widths and head weights of the official 4D-Depth configs
# (docs/reference/bevdet.md, "Earlier key frames"), without their previous frame.
_base_ = 'bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(
    img_neck=dict(out_channels=512),
    img_view_transformer=dict(
        depth_bins=dict(step=0.5),
        in_channels=512,
        context_channels=80,
        depth_net=dict(
            _delete_=True,
            type='CameraAwareDepthNet',
            depth_supervision=[dict(type='LidarDepthTarget', weight=3.0)],
        ),
    ),
    img_bev_encoder_backbone=dict(in_channels=80, channels=(160, 320, 640)),
    img_bev_encoder_neck=dict(in_channels=160 + 640),
    pts_bbox_head=dict(
        loss_cls=dict(loss_weight=6.0),
        loss_bbox=dict(loss_weight=1.5),
        train_cfg=dict(code_weights=(1.0,) * 10),
    ),
)
