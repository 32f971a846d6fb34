# The toy detector with the hybrid depth net and embodied depth as its prior, in training and test:
#   hybrid-depth make-embodied-depth data/toy data/toy_rig_embodied --kerb-height 0 \
#       --labels data/toy/semantic --instances data/toy/instance --infos INFOS    (train, then val)
_base_ = 'bevdet_hybrid_toy.py'

model = dict(
    img_view_transformer=dict(depth_net=dict(encoder=dict(prior=dict(type='EmbodiedPrior'))))
)
load_physics = dict(
    type='LoadPhysicsDepth', folder='data/toy_rig_embodied/depth', root=_base_.data_root
)
train_dataloader = dict(
    dataset=dict(
        dataset=dict(
            pipeline=[*_base_.train_pipeline[:3], load_physics, *_base_.train_pipeline[3:]]
        )
    )
)
test_dataloader = dict(
    dataset=dict(pipeline=[*_base_.test_pipeline[:2], load_physics, *_base_.test_pipeline[2:]])
)
