# True depth in place of the predicted one, in training and test: what a perfect depth net would
# give. The net's own depth is not used, so it is the plain one.
_base_ = 'none.py'

model = dict(img_view_transformer=dict(depth_net=dict(_delete_=True, type='PlainDepthNet')))
load_depth = dict(type='LoadTrueDepth', folder=_base_.data_root + 'depth', root=_base_.data_root)
train_dataloader = dict(
    dataset=dict(
        dataset=dict(pipeline=[*_base_.train_pipeline[:3], load_depth, *_base_.train_pipeline[3:]])
    )
)
test_dataloader = dict(
    dataset=dict(pipeline=[*_base_.test_pipeline[:2], load_depth, *_base_.test_pipeline[2:]])
)
custom_hooks = [dict(type='TrueDepthHook', sigma=0.7)]
