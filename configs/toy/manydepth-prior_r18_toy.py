# ManyDepth whose multi-frame model has the depth of the ground plane beside every map of the
# encoder: the toy car's cameras are 1.65 m above the road and level. The teacher has none.
_base_ = './manydepth_r18_toy.py'

model = dict(
    encoder=dict(
        _delete_=True,
        type='PriorEncoder',
        encoder=dict(type='ResNetDepthEncoder', depth=18),
        prior=dict(type='GroundPlanePrior', height=1.65),
    )
)
