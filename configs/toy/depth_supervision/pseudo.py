# Supervised by a self-supervised model of the same cameras: no LiDAR in the training.
_base_ = 'none.py'

model = dict(
    img_view_transformer=dict(
        depth_net=dict(depth_supervision=[dict(type='PseudoDepthTarget', weight=3.0, sigma=0.7)])
    )
)
load_depth = dict(type='LoadPseudoDepth', folder='work_dirs/bev_depth/pseudo_depth')
train_dataloader = dict(
    dataset=dict(
        dataset=dict(pipeline=[*_base_.train_pipeline[:3], load_depth, *_base_.train_pipeline[3:]])
    )
)
