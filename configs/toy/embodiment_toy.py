# Vision-Language Embodiment on the toy KITTI tree, supervised by its dense depth, from random
# weights: image, embodied depth, captions and object sentences. `make bench-embodied` takes its
# parts away one by one.
_base_ = [
    '../_base_/models/embodiment_toy.py',
    '../_base_/datasets/toy_kitti_embodied.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

# the tests score the end
train_cfg = dict(val_interval=_base_.max_epochs + 1)
param_scheduler = [dict(_base_.param_scheduler[0], end=20), _base_.param_scheduler[1]]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
# the text branch trains other parameters than the image branch
find_unused_parameters = True
