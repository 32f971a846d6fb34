# LiDAR where it has points, the self-supervised model in the gaps between them.
_base_ = 'none.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            depth_supervision=[
                _base_.lidar_target,
                dict(type='PseudoDepthTarget', weight=3.0, sigma=0.7, where='lidar_gaps'),
            ]
        )
    )
)
load_pseudo = dict(type='LoadPseudoDepth', folder='work_dirs/bev_depth/pseudo_depth')
# beyond the bins too: such a cell is no gap
load_lidar = dict(type='LoadLidarDepth', depth_range=(1.0, 100.0))
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            pipeline=[
                *_base_.train_pipeline[:3],
                load_pseudo,
                load_lidar,
                *_base_.train_pipeline[3:],
            ]
        )
    )
)
