# As toy_depth.py, with more and larger steps: for convolutional networks, which take half the time
# of the transformers per step.
_base_ = './toy_depth.py'

max_epochs = 12
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    *_base_.param_scheduler[:1],
    dict(_base_.param_scheduler[1], T_max=max_epochs),
]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
