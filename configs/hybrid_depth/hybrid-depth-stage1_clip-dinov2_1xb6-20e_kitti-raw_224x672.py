# Stage 1 without lane labels, on ground rows of KITTI's images: an addition to the paper, which
# uses TuSimple.
_base_ = [
    '../_base_/models/language_alignment.py',
    '../_base_/datasets/kitti_ground.py',
    '../_base_/schedules/hybrid_stage1_20e.py',
    '../_base_/depth_runtime.py',
]
