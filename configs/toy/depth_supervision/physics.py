# Supervised by embodied depth of the toy world's labels: geometry alone, no LiDAR, no other model.
#   hybrid-depth make-embodied-depth data/toy data/toy_embodied ...
_base_ = 'none.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(depth_supervision=[dict(type='PhysicsDepthTarget', weight=3.0, sigma=0.7)])
    )
)
load_depth = dict(
    type='LoadPhysicsDepth', folder='work_dirs/bev_depth/embodied/depth', root=_base_.data_root
)
train_dataloader = dict(
    dataset=dict(
        dataset=dict(pipeline=[*_base_.train_pipeline[:3], load_depth, *_base_.train_pipeline[3:]])
    )
)
