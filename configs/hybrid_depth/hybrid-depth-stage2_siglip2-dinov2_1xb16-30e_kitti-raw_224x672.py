# Stage 2 with SigLIP2 beside DINOv2. Its text tower is not causal, so that depth sentences do not
# fit; for another open_clip tower with sentences see monodepth2_hybrid_vitb16_kitti.py.
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(name='ViT-B-16-SigLIP2', pretrained='webli', mean=(0.5,) * 3, std=(0.5,) * 3),
        dino=dict(mean='imagenet', std='imagenet'),
        text=None,
        trainable=('clip.visual', 'align', 'dino.vit.blocks.11'),
    ),
)
