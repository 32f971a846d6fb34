# FB-BEV at toy size, with the hybrid depth net.
_base_ = ['bevdet_hybrid_toy.py', '../_base_/models/refinement_toy.py']

model = dict(refine=_base_.refine)
