# The detector of `make demo` with twice the epochs of detection. They need augmentation: without it
# detection learns the 128 kept lifts by heart. No flips, which hide the side that traffic keeps to.
_base_ = 'bevdet_hybrid_toy.py'

depth_epochs, detection_epochs = 9, 32
train_cfg = dict(max_epochs=depth_epochs + detection_epochs)
custom_hooks = [
    dict(
        type='DepthFirstHook',
        epochs=depth_epochs,
        keep_lifts=True,
        bev_augmentation=dict(flip_x=0.0, flip_y=0.0),
    )
]
param_scheduler = [
    dict(_base_.param_scheduler[0], periods=[depth_epochs, detection_epochs]),
    *_base_.param_scheduler[1:],
]
