# Hybrid-depth's ManyDepth: CLIP RN50 and DINOv2 ViT-B/14 with 128 learned depth sentences and the
# DPT head; frames are matched in CLIP's first stage (docs/reference/manydepth.md, "Hybrid-depth's
# student"). The teacher is ManyDepth's, at one scale.
model = dict(
    type='ManyDepth',
    encoder=dict(
        type='HybridDepthEncoder',
        clip=dict(name='RN50-quickgelu', pretrained='openai', mean='imagenet', std='imagenet'),
        dino=dict(
            name='vit_base_patch14_dinov2.lvd142m', pretrained='hub', mean='none', std='none'
        ),
        text=dict(num_tokens=128),
        trainable=('clip', 'align', 'language'),
    ),
    decoder=dict(type='DPTDecoder'),
    teacher=dict(
        type='Monodepth2',
        encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
        decoder=dict(type='Monodepth2Decoder', scales=(0,)),
        pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet'),
        masked_mean=True,
    ),
    lookups=(-1,),
    cost_volume=dict(num_bins=96, spacing='linear', depth_range=(0.1, 10.0)),
)
stage1_weights = dict(
    type='EncoderWeights',
    checkpoint='work_dirs/hybrid-depth-stage1_clip-dinov2_1xb6-20e_tusimple_224x392/epoch_20.pth',
)
