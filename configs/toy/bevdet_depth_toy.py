# The toy detector with the camera-aware depth net, supervised by LiDAR depth.
_base_ = 'bevdet_plain_toy.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            _delete_=True,
            type='CameraAwareDepthNet',
            mid_channels=48,
            aspp_channels=16,
            depth_supervision=[dict(type='LidarDepthTarget', weight=3.0)],
            semantics=dict(num_classes=10),
        )
    )
)
