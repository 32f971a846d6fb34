# As toy_depth.py, for the many pictures of six cameras at 12 Hz.
_base_ = './toy_depth.py'

max_epochs = 3
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=100),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        T_max=max_epochs,
        convert_to_iter_based=True,
        by_epoch=True,
    ),
]
