# BEVDet-R50 at 256x704 with the conventions of the official dev2/dev3 weights: BGR input with
# RGB-ordered statistics (docs/reference/bevdet.md, "Channel order"), corner-aligned frustum
# (docs/reference/bevdet.md, "Frustum"), bins at their lower edges (docs/reference/bevdet.md, "Depth
# bins"), truncated voxel indices (docs/reference/bevdet.md, "Voxel pooling").
_base_ = []  # without it mmengine takes a config that imports for one of its other syntax
from hybrid_depth.datasets.nuscenes import names  # noqa: E402

model = dict(
    type='BEVDet',
    img_backbone=dict(
        type='BEVResNet',
        channel_order='bgr',
        depth=50,
        out_indices=(2, 3),
        norm_eval=False,
        with_cp=True,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    img_neck=dict(type='CustomFPN', in_channels=[1024, 2048], out_channels=256),
    img_view_transformer=dict(
        type='LSSViewTransformer',
        grid=dict(x=(-51.2, 51.2, 0.8), y=(-51.2, 51.2, 0.8), z=(-5.0, 3.0, 8.0), rounding='trunc'),
        depth_bins=dict(start=1.0, stop=60.0, step=1.0, anchor='lower'),
        image_size=(256, 704),
        in_channels=256,
        context_channels=64,
        frustum_align='corners',
        depth_net=dict(type='PlainDepthNet'),
    ),
    img_bev_encoder_backbone=dict(type='CustomResNet', in_channels=64, channels=(128, 256, 512)),
    img_bev_encoder_neck=dict(type='FPN_LSS', in_channels=128 + 512, out_channels=256),
    pts_bbox_head=dict(
        type='ScaleNMSCenterHead',
        in_channels=256,
        tasks=[dict(num_class=10, class_names=list(names.CLASSES))],
        common_heads=dict(reg=(2, 2), height=(1, 2), dim=(3, 2), rot=(2, 2), vel=(2, 2)),
        share_conv_channel=64,
        bbox_coder=dict(
            type='CenterPointBBoxCoder',
            pc_range=(-51.2, -51.2),
            post_center_range=(-61.2, -61.2, -10.0, 61.2, 61.2, 10.0),
            max_num=500,
            score_threshold=0.1,
            out_size_factor=8,
            voxel_size=(0.1, 0.1),
            code_size=9,
        ),
        separate_head=dict(type='SeparateHead', init_bias=-2.19, final_kernel=3),
        loss_cls=dict(type='mmdet.GaussianFocalLoss', reduction='mean'),
        loss_bbox=dict(type='mmdet.L1Loss', reduction='mean', loss_weight=0.25),
        norm_bbox=True,
        train_cfg=dict(
            point_cloud_range=(-51.2, -51.2, -5.0, 51.2, 51.2, 3.0),
            grid_size=(1024, 1024, 40),
            voxel_size=(0.1, 0.1, 0.2),
            out_size_factor=8,
            dense_reg=1,
            gaussian_overlap=0.1,
            max_objs=500,
            min_radius=2,
            code_weights=(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.2, 0.2),
        ),
        test_cfg=dict(
            nms_type='rotate',
            nms_thr=0.2,
            nms_rescale_factor=[[1.0, 0.7, 0.7, 0.4, 0.55, 1.1, 1.0, 1.0, 1.5, 3.5]],
            pre_max_size=1000,
            post_max_size=500,
        ),
    ),
)
