# As toy_depth.py, for the many images of six cameras at 12 Hz.
_base_ = './toy_depth.py'

max_epochs = 3
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
