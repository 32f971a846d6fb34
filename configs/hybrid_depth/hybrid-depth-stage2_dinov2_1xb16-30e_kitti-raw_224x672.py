# Stage 2 with DINOv2 alone, no language.
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(
    init_cfg=dict(unused=('clip', 'align', 'language')),
    encoder=dict(clip=None, text=None, trainable=('dino.vit.blocks.11',)),
)
