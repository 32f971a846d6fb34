# Vision-Language Embodiment (arXiv 2503.16535) on KITTI with annotated depth. Backbone, schedule
# and batch of the paper are not known; these are WorDepth's, and a ResNet-18 for the prior.
_base_ = [
    '../_base_/models/wordepth_swinl.py',
    '../_base_/datasets/kitti_embodied.py',
    '../_base_/schedules/wordepth_50e.py',
    '../_base_/depth_runtime.py',
]

model = dict(
    type='VisionLanguageEmbodiment',
    prior_encoder=dict(type='ResNetDepthEncoder', depth=18, mean='none', std='none'),
    text_width=2048,
)
