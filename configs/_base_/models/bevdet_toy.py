# BEVDet at toy size: the full-size layout with a thin ResNet-18 of three stages at stride 8, and a
# narrow trunk and head on cells of 1.28 m, random initialisation, for trainings of minutes on two
# CPU cores. The first stage of the trunk keeps the cells' size: at such coarse cells the
# official stride of 2 loses the position of an object.
_base_ = 'bevdet_r50.py'

model = dict(
    img_backbone=dict(
        channel_order='rgb',
        depth=18,
        base_channels=16,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(1, 2),
        with_cp=False,
        init_cfg=None,
    ),
    img_neck=dict(in_channels=[32, 64], out_channels=64),
    img_view_transformer=dict(
        grid=dict(x=(-51.2, 51.2, 1.28), y=(-51.2, 51.2, 1.28), rounding='floor'),
        depth_bins=dict(start=1.0, stop=56.0, anchor='centre'),
        frustum_align='centres',
        image_size=(96, 256),
        stride=8,
        in_channels=64,
        context_channels=32,
        log_scale=True,
    ),
    img_bev_encoder_backbone=dict(in_channels=32, channels=(32, 48, 64), strides=(1, 2, 2)),
    img_bev_encoder_neck=dict(in_channels=32 + 64, out_channels=32, extra_upsample=None),
    pts_bbox_head=dict(
        in_channels=32,
        share_conv_channel=32,
        separate_head=dict(head_conv=16),
        # a short run needs larger weights of the head's losses than the official ones
        loss_cls=dict(loss_weight=6.0),
        loss_bbox=dict(loss_weight=1.5),
        bbox_coder=dict(voxel_size=(0.16, 0.16), score_threshold=7e-5),
        train_cfg=dict(grid_size=(640, 640, 40), voxel_size=(0.16, 0.16, 0.2)),
        # not heat, which is 0.1 where nothing was seen and one cell in 380 has a centre; the
        # threshold is a heat of 0.03
        test_cfg=dict(peak_kernel=3, scores='probability'),
    ),
)
lidar_target = dict(type='LidarDepthTarget', weight=3.0, form='cross_entropy', sigma=0.7)
