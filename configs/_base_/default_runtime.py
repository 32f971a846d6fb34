# Settings of all configs: hooks, seeds, logging. The project's own hooks are in `default_hooks`
# too, as a config that sets `custom_hooks` replaces the whole list.
custom_imports = dict(imports=['hybrid_depth.modules'], allow_failed_imports=False)
default_scope = 'mmdet3d'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    nan_guard=dict(type='NaNGuardHook'),
    fold=dict(type='FoldBatchNormHook'),  # in tests
    progress=dict(type='ProgressBarHook'),
)
randomness = dict(seed=0)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
