# Stage 2 with DINOv3 (patches of 16 pixels, rotary positions) beside CLIP RN50.
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(mean='clip', std='clip'),
        dino=dict(name='vit_base_patch16_dinov3.lvd1689m', mean='imagenet', std='imagenet'),
    ),
)
