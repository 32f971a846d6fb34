# IFRNet's schedule for Mono-ViFI: 150 epochs of batch 16, cosine by step from 1e-4 to 1e-5
# (docs/reference/mono_vifi.md, "Frame interpolation").
max_epochs = 150
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.01),
    clip_grad=dict(max_norm=5, norm_type=2),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        T_max=max_epochs,
        convert_to_iter_based=True,
        by_epoch=True,
    )
]

train_cfg = dict(by_epoch=True, max_epochs=max_epochs)
val_cfg = test_cfg = None
