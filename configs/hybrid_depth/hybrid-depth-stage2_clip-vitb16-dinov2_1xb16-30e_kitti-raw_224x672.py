# Stage 2 with DataComp's CLIP ViT-B/16 and its sentences beside DINOv2.
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(
    init_cfg=None,
    encoder=dict(
        clip=dict(name='ViT-B-16', pretrained='datacomp_xl_s13b_b90k', mean='clip', std='clip'),
        dino=dict(mean='imagenet', std='imagenet'),
    ),
)
