# BEVDet-R50, conventions of the official dev2/dev3 weights.
_base_ = [
    '../_base_/models/bevdet_r50.py',
    '../_base_/datasets/nuscenes_bev.py',
    '../_base_/schedules/cbgs_20e.py',
    '../_base_/default_runtime.py',
]
