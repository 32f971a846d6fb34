# Stage 2 with DINOv3 (patches of 16 pixels, rotary positions) and CLIP RN50.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(mean='clip', std='clip'),
        dino=dict(name='vit_base_patch16_dinov3.lvd1689m', mean='imagenet', std='imagenet'),
    ),
)
