# Hybrid-depth's stage 1 with toy towers on the toy world's lane labels.
_base_ = [
    '../_base_/models/hybrid_encoder_toy.py',
    '../_base_/datasets/toy_lanes.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

model = dict(
    type='LanguageAlignment',
    both_ways=True,
    encoder=dict(text=dict(), trainable=('clip.visual', 'dino', 'align')),
)
