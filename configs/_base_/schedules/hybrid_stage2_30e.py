# Hybrid-depth stage 2: 30 epochs of batch 16; the released weights are those of the 7th epoch,
# before the rate drops (docs/reference/hybrid_depth.md, "Stage 2 training").
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.01))
param_scheduler = [dict(type='StepLR', by_epoch=True, step_size=15, gamma=0.1)]

train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()
