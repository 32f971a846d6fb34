# Vision-Language Embodiment (arXiv 2503.16535). Its backbone is not known; WorDepth's, and a
# ResNet-18 for the embodied depth.
_base_ = './wordepth_swinl.py'

model = dict(
    type='VisionLanguageEmbodiment',
    prior_encoder=dict(type='ResNetDepthEncoder', depth=18, mean='none', std='none'),
    text_width=2048,
)
