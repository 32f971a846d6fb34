# Study claim-bev: FB-BEV, depth by LiDAR.
_base_ = ['../depth_supervision/lidar.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
