# Supervised by LiDAR.
_base_ = 'none.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            depth_supervision=[
                dict(type='LidarDepthTarget', weight=3.0, form='cross_entropy', sigma=0.7)
            ]
        )
    )
)
load_depth = dict(type='LoadLidarDepth', depth_range=(1.0, 56.0))
train_dataloader = dict(
    dataset=dict(
        dataset=dict(pipeline=[*_base_.train_pipeline[:3], load_depth, *_base_.train_pipeline[3:]])
    )
)
