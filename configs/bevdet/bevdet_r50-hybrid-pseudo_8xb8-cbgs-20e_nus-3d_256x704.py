# BEVDet-R50 with the hybrid depth net, supervised by a self-supervised model instead of LiDAR. The
# commands that make its depth: configs/hybrid_depth/README.md. For both, add LidarDepthTarget, and
# LoadLidarDepth(depth_range=(1.0, 100.0)) to the pipeline; PseudoDepthTarget(where='lidar_gaps')
# then supervises only the gaps between LiDAR points.
_base_ = '../bevdet_hybrid.py'

train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='LoadPseudoDepth', folder='data/nuscenes/pseudo_depth'),  # for LoadLidarDepth
    *_base_.train_pipeline[4:],
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))

model = dict(
    img_view_transformer=dict(
        depth_net=dict(depth_supervision=[dict(type='PseudoDepthTarget', weight=3.0)])
    )
)
