# ManyDepth's schedule: 20 epochs of batch 12 at a constant rate. The published step after 15 epochs
# falls together with the freezing of the teacher, which begins the schedule anew
# (docs/reference/manydepth.md, "Freezing").
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = []

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
