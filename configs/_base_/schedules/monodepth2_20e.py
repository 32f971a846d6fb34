# Monodepth2's schedule: 20 epochs of batch 12, a tenth of the rate after 15
# (docs/reference/monodepth2.md, "Training").
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='StepLR', by_epoch=True, step_size=15, gamma=0.1)]

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
