# Hybrid-depth's stage 2 (arXiv 2510.09320) on KITTI, from the encoder of stage 1. Without stage 1,
# from the foundation weights: --cfg-options model.init_cfg=None
_base_ = [
    '../_base_/models/monodepth2_hybrid.py',
    '../_base_/datasets/kitti_raw_hybrid.py',
    '../_base_/schedules/hybrid_stage2_30e.py',
    '../_base_/depth_runtime.py',
]

model = dict(init_cfg=_base_.stage1_weights)
