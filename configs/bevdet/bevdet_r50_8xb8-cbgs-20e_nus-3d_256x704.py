# BEVDet-R50, conventions of the official dev2/dev3 weights: also the frames of cameras and boxes
# (docs/reference/bevdet.md, "Lift").
_base_ = [
    '../_base_/models/bevdet_r50.py',
    '../_base_/datasets/nuscenes_bev.py',
    '../_base_/schedules/cbgs_20e.py',
    '../_base_/default_runtime.py',
]

frames = dict(ego_frame='CAM_FRONT_LEFT', box_frame='CAM_FRONT')
train_dataloader = dict(dataset=dict(dataset=frames))
val_dataloader = dict(dataset=frames)
test_dataloader = val_dataloader
