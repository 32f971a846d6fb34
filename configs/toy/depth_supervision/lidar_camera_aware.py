# The camera-aware depth net supervised by LiDAR, without the hybrid encoder.
_base_ = 'lidar.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            _delete_=True,
            type='CameraAwareDepthNet',
            mid_channels=48,
            aspp_channels=16,
            depth_supervision=_base_.model.img_view_transformer.depth_net.depth_supervision,
        )
    )
)
