# ManyDepth's schedule: 20 epochs of batch 12 at a constant rate. The published step after 15 epochs
# falls together with the freezing of the teacher, which begins the schedule anew
# (docs/reference/manydepth.md, "Freezing").
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = []
default_hooks = dict(freeze_teacher=dict(type='FreezeTeacherHook', epoch=15))
# A frozen teacher gets no gradient: distributed training has to expect that.
find_unused_parameters = True

train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
