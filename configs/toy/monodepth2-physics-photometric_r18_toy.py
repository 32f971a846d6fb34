# Second of two steps: photometric training on video from the weights of
# monodepth2-physics_r18_toy.py. Depth keeps the metres of the first step.
_base_ = './monodepth2-photometric_r18_toy.py'

load_from = 'work_dirs/monodepth2-physics_r18_toy/epoch_3.pth'
