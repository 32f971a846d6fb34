# Stage 2 with DataComp's CLIP ViT-B/16 and its prompts, and DINOv2.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(name='ViT-B-16', pretrained='datacomp_xl_s13b_b90k', mean='clip', std='clip'),
        dino=dict(mean='imagenet', std='imagenet'),
    ),
)
