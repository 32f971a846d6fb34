# The toy stage 2 without text, also from stage 1.
_base_ = 'monodepth2_hybrid_toy.py'

model = dict(
    encoder=dict(text=None, trainable=('clip.visual', 'dino', 'align')),
    init_cfg=dict(unused=('language',)),
)
