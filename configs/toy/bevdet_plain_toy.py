# BEVDet at toy size with the plain depth net, no depth supervision: the baseline of the toy table.
_base_ = [
    '../_base_/models/bevdet_toy.py',
    '../_base_/datasets/toy_bev.py',
    '../_base_/schedules/toy.py',
    '../_base_/default_runtime.py',
]
# writing the config into a checkpoint takes seconds, as long as a tenth of an epoch
default_hooks = dict(checkpoint=dict(interval=5))
# no augmentation: the 128 samples of training have the same pooling plans in every epoch
model = dict(img_view_transformer=dict(kept_plans=128))
