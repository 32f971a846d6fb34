# FB-BEV of the study of foundation towers (tools/benchmark.py claim-bev); depth supervision: LiDAR.
_base_ = ['../depth_supervision/lidar.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
