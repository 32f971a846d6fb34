# DepthCLIP (arXiv 2207.01077) on KITTI, without training:
#   hybrid-depth test configs/embodied/depthclip_rn50_1xb4-0e_kitti-depth_352x1216.py
# The published bins are for rooms; these, for streets, are ours.
_base_ = [
    '../_base_/datasets/kitti_supervised.py',
    '../_base_/schedules/wordepth_50e.py',
    '../_base_/depth_runtime.py',
]

model = dict(
    type='DepthCLIP',
    encoder=dict(type='CLIPDepthEncoder', name='RN50-quickgelu', pretrained='openai'),
    bins=(2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0),
)
train_cfg = dict(max_epochs=0)
