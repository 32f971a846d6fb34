# FB-BEV of the study of foundation towers (tools/benchmark.py claim-bev); depth supervision: LiDAR and a self-supervised model.
_base_ = ['../depth_supervision/both.py', '../../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
