# Hybrid-depth stage 1: one cycle over 20 epochs (docs/reference/hybrid_depth.md, "Stage 1
# training"). Rate and beta1 follow half a cosine to their extreme in the first 30 % and another one
# back: PyTorch's OneCycleLR in parts whose state is numbers only, so that checkpoints load safely.
max_lr = 3.57e-4
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=max_lr / 25, betas=(0.95, 0.999), weight_decay=0.1),
    clip_grad=dict(max_norm=0.1, norm_type=2),
)
rise = dict(begin=0, end=6, T_max=6, by_epoch=True, convert_to_iter_based=True)
fall = dict(begin=6, end=20, T_max=14, by_epoch=True, convert_to_iter_based=True)
param_scheduler = [
    dict(type='CosineAnnealingLR', eta_min=max_lr, **rise),
    dict(type='CosineAnnealingLR', eta_min=max_lr / 2500, **fall),
    dict(type='CosineAnnealingMomentum', eta_min=0.85, **rise),
    dict(type='CosineAnnealingMomentum', eta_min=0.95, **fall),
]

train_cfg = dict(by_epoch=True, max_epochs=20)
test_cfg = dict()
