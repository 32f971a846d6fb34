# BEVDet's schedule with class-balanced sampling: 64 samples a step, learning rate constant after
# the warm-up. Evaluated and released weights are the moving average, as in the published tables.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=1e-2),
    clip_grad=dict(max_norm=5, norm_type=2),
)
param_scheduler = [dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=200)]
auto_scale_lr = dict(enable=True, base_batch_size=64)

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=5)
val_cfg = dict()
test_cfg = dict()

custom_hooks = [
    # rate (1 - m) exp(-(1 + t) / gamma) + m, which is BEVDet's 1 - 0.999 (1 - exp(-t / 2000))
    dict(
        type='EMAHook',
        ema_type='mmdet.ExpMomentumEMA',
        momentum=0.001,
        gamma=2000,
        update_buffers=True,
    ),
]
