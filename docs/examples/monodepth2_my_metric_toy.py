# Monodepth2 on the toy world, evaluated by LogError and the metrics of the protocol.
_base_ = '../../configs/toy/monodepth2_r18_toy.py'

custom_imports = dict(imports=['hybrid_depth.depth_modules', 'my_metric'])
test_evaluator = [_base_.test_evaluator, dict(type='LogError', truth='data/toy_kitti/gt/toy')]
