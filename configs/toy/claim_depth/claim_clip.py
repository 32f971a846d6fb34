# CLIP alone, on the grid of the fused maps.
_base_ = 'claim_notext.py'

model = dict(encoder=dict(dino=None, clip_stride=8, trainable=('clip.visual', 'align')))
