# BEVDet with MyRefinement between lift and BEV trunk, on the toy world.
_base_ = '../../configs/toy/bevdet_plain_toy.py'

custom_imports = dict(imports=['hybrid_depth.modules', 'my_refinement'])
model = dict(refine=dict(type='MyRefinement'))
