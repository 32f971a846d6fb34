_base_ = '/tmp/w/wt/once/docs/examples/monodepth2_my_metric_toy.py'
custom_imports = dict(imports=['hybrid_depth.depth_modules', 'my_metric', 'my_encoder'])
model = dict(encoder=dict(_delete_=True, type='MyEncoder'))
test_dataloader = dict(num_workers=0)
