# FB-BEV with the hybrid (CLIP + DINO + language) depth net.
_base_ = [
    '../bevdet_hybrid.py',
    '../_base_/models/depth_aware_refinement.py',
]

model = dict(refine=_base_.refine)
