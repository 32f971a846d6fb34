# Stage 2 with both towers, without text: the ablation of the prompts.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=dict(unused=('language',)),
    encoder=dict(text=None, trainable=('clip.visual', 'align', 'dino.vit.blocks.11')),
)
