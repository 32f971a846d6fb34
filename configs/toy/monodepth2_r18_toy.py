# Monodepth2 with ResNet-18 from random weights on the stereo pairs of the toy KITTI tree.
_base_ = [
    '../_base_/models/monodepth2_r18.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth_12e.py',
]

model = dict(
    encoder=dict(pretrained=None),
    # 3.5 m: from a larger initial depth the side of a passing truck is not learned
    decoder=dict(start=0.15),
    pose_net=None,
    sources=('s',),
)
