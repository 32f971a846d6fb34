# Vision-Language Embodiment (arXiv 2503.16535) on KITTI with annotated depth. Schedule and batch of
# the paper are not known; WorDepth's.
_base_ = [
    '../_base_/models/embodiment_swinl.py',
    '../_base_/datasets/kitti_embodied.py',
    '../_base_/schedules/wordepth_50e.py',
    '../_base_/depth_runtime.py',
]
