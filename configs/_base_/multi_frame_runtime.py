# Runtime of ManyDepth: the teacher is frozen after 15 epochs (docs/reference/manydepth.md,
# "Freezing"). It gets no gradient from then on, which distributed training has to expect.
_base_ = './depth_runtime.py'

default_hooks = dict(freeze_teacher=dict(type='FreezeTeacherHook', epoch=15))
find_unused_parameters = True
