# Stage 2 with SigLIP2 and DINOv2. SigLIP2's text tower is not causal, so depth prompts cannot be
# used; an open_clip tower with prompts: hybrid-depth-stage2_clip-vitb16-dinov2_*.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(name='ViT-B-16-SigLIP2', pretrained='webli', mean=(0.5,) * 3, std=(0.5,) * 3),
        dino=dict(mean='imagenet', std='imagenet'),
        text=None,
        trainable=('clip.visual', 'align', 'dino.vit.blocks.11'),
    ),
)
