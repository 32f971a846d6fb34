# WorDepth (arXiv 2404.03635) on KITTI with annotated depth.
_base_ = [
    '../_base_/models/wordepth_swinl.py',
    '../_base_/datasets/kitti_text.py',
    '../_base_/schedules/wordepth_50e.py',
    '../_base_/depth_runtime.py',
]
