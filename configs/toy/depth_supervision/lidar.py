# Supervised by LiDAR.
_base_ = 'none.py'

model = dict(img_view_transformer=dict(depth_net=dict(depth_supervision=[_base_.lidar_target])))
load_depth = dict(type='LoadLidarDepth', depth_range=(1.0, 56.0))
train_dataloader = dict(
    dataset=dict(
        dataset=dict(pipeline=[*_base_.train_pipeline[:3], load_depth, *_base_.train_pipeline[3:]])
    )
)
