# Study claim-bev: FB-BEV, depth by LiDAR and a self-supervised model.
_base_ = ['../depth_supervision/both.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
