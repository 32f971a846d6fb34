# Hybrid-depth's stage 2 on the six cameras of nuScenes, from the encoder of stage 1. Its depth is
# made metric by the height of the cameras (hybrid-depth make-pseudo-depth) and supervises
# detectors.
_base_ = [
    '../_base_/models/monodepth2_hybrid.py',
    '../_base_/datasets/nuscenes_video.py',
    '../_base_/schedules/hybrid_stage2_30e.py',
    '../_base_/depth_runtime.py',
]

model = dict(
    canonical_focal=399.0,  # of five of the six, at a width of 504 pixels
    init_cfg=_base_.stage1_weights,
)
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=20)
# no validation: depth is evaluated by the detector's test, or by hybrid-depth evaluate-depth
val_cfg = None
test_cfg = None
