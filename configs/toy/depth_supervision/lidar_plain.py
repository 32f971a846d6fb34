# The plain depth net (one convolution) supervised by LiDAR.
_base_ = 'lidar.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            _delete_=True,
            type='PlainDepthNet',
            depth_supervision=_base_.model.img_view_transformer.depth_net.depth_supervision,
        )
    )
)
