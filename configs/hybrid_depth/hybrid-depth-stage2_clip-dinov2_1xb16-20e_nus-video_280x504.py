# Hybrid-depth's stage 2 on the six cameras of nuScenes, from the encoder of stage 1. Its depth is
# made metric by the height of the cameras (hybrid-depth make-pseudo-depth) and supervises
# detectors.
_base_ = [
    '../_base_/models/monodepth2_hybrid.py',
    '../_base_/datasets/nuscenes_video.py',
    '../_base_/depth_runtime.py',
]

model = dict(
    canonical_focal=399.0,  # of five of the six, at a width of 504 pixels
    init_cfg=dict(
        type='EncoderWeights', checkpoint='work_dirs/hybrid_stage1_tusimple/epoch_20.pth'
    ),
)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.01))
param_scheduler = [dict(type='StepLR', by_epoch=True, step_size=15, gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=20)
# no validation: a detector's depth is scored by its own test, a depth model's by evaluate_depth.py
val_cfg = None
test_cfg = None
