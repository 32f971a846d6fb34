# FB-BEV of the study of foundation towers (tools/benchmark.py claim-bev); depth supervision: no depth supervision.
_base_ = ['../depth_supervision/none.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
