# WorDepth on the toy KITTI tree: image and caption, no embodied depth.
_base_ = './embodiment_toy.py'

model = dict(
    _delete_=True,
    type='WorDepth',
    encoder=dict(type='TimmDepthEncoder', name='resnet10t'),
    decoder=_base_.model.decoder,
    text_width=1024,
    text_probability=0.1,
)
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.load_text, objects=None),
    *_base_.train_pipeline[3:],
]
test_pipeline = [
    *_base_.test_pipeline[:2],
    dict(_base_.load_text, objects=None),
    *_base_.test_pipeline[3:],
]
train_dataloader = dict(dataset=dict(depth_folders=None, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(depth_folders=None, pipeline=test_pipeline))
test_dataloader = val_dataloader
