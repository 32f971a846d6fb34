# Monodepth2 with embodied depth beside every map of the encoder (PriorEncoder); see
# monodepth2-physics_r18_toy.py for the files. The ground plane alone needs none:
# prior=dict(_delete_=True, type='GroundPlanePrior', height=1.65).
_base_ = './monodepth2_r18_toy.py'

model = dict(
    encoder=dict(
        _delete_=True,
        type='PriorEncoder',
        encoder=dict(type='ResNetDepthEncoder', depth=18),
        prior=dict(type='EmbodiedPrior'),
    )
)
load_depth = dict(type='LoadDepthMaps')
depth_folders = dict(physics_depth='data/toy_kitti_embodied/depth')
train_dataloader = dict(
    dataset=dict(
        depth_folders=depth_folders,
        pipeline=[_base_.train_pipeline[0], load_depth, *_base_.train_pipeline[1:]],
    )
)
val_dataloader = dict(
    dataset=dict(
        depth_folders=depth_folders,
        pipeline=[_base_.test_pipeline[0], load_depth, *_base_.test_pipeline[1:]],
    )
)
test_dataloader = val_dataloader
