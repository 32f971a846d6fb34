# Stage 2 with both towers and no language: what the sentences are worth.
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(
    init_cfg=dict(unused=('language',)),
    encoder=dict(text=None, trainable=('clip.visual', 'align', 'dino.vit.blocks.11')),
)
