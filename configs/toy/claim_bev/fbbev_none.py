# Study claim-bev: FB-BEV, without depth supervision.
_base_ = ['../depth_supervision/none.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
