# Stage 2 with DINOv2 only, no text.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=dict(unused=('clip', 'align', 'language')),
    encoder=dict(clip=None, text=None, trainable=('dino.vit.blocks.11',)),
)
