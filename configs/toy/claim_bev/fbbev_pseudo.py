# Study claim-bev: FB-BEV, depth by a self-supervised model.
_base_ = ['../depth_supervision/pseudo.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
