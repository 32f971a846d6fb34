# The toy detector with the camera-aware depth net, trained first on depth and classes of LiDAR
# points, then on detection.
_base_ = 'bevdet_plain_toy.py'

model = dict(
    img_view_transformer=dict(
        kept_plans=1,  # lifts are kept instead
        depth_net=dict(
            _delete_=True,
            type='CameraAwareDepthNet',
            mid_channels=48,
            aspp_channels=16,
            depth_supervision=[_base_.lidar_target],
            semantics=dict(num_classes=10, weight=3.0),
        ),
    )
)
depth_epochs, detection_epochs = 9, 16
train_cfg = dict(max_epochs=depth_epochs + detection_epochs)
custom_hooks = [dict(type='DepthFirstHook', epochs=depth_epochs, keep_lifts=True)]
param_scheduler = [
    dict(
        type='CosineRestartLR',
        periods=[depth_epochs, detection_epochs],
        restart_weights=[1, 1],
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=40),
]
