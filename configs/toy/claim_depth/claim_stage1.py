# Stage 1 of the towers on lane labels.
_base_ = [
    '../../_base_/models/hybrid_encoder_toy.py',
    '../../_base_/datasets/toy_lanes.py',
    '../../_base_/claim_depth_runtime.py',
]

model = dict(
    type='LanguageAlignment',
    both_ways=True,
    encoder=dict(text=dict(), trainable=('clip.visual', 'dino', 'align')),
)
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        _delete_=True,
        type='TuSimpleLaneDataset',
        data_root=_base_.data_root,
        ann_file='train_label_data.json',
        pipeline=_base_.train_pipeline,
    ),
)
max_iters = 200
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_iters),
]
val_cfg = val_dataloader = val_evaluator = None
