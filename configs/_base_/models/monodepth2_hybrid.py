# Hybrid-depth stage 2: CLIP RN50 and DINOv2 ViT-B/14 with 256 learned depth sentences
# (docs/reference/hybrid_depth.md, "Stage 2 encoder") and the DPT head, one scale; images are not
# normalised for the pose net either (docs/reference/hybrid_depth.md, "Camera motion"). The towers
# start from the encoder of stage 1 (init_cfg=stage1_weights) or from the foundation weights.
model = dict(
    type='Monodepth2',
    encoder=dict(
        type='HybridDepthEncoder',
        clip=dict(name='RN50-quickgelu', pretrained='openai', mean='none', std='none'),
        dino=dict(
            name='vit_base_patch14_dinov2.lvd142m', pretrained='hub', mean='none', std='none'
        ),
        text=dict(num_tokens=256),
        trainable=(
            'clip.visual',
            'align',
            'dino.vit.blocks.11',
            'language.prompts',
            'language.tower.token_embedding',
            'language.tower.positional_embedding',
            'language.tower.ln_final',
            'language.tower.text_projection',
        ),
    ),
    decoder=dict(type='DPTDecoder'),
    pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet', mean='none', std='none'),
    channels_last=True,  # four fifths of the decoder's time on CPU
)
stage1_weights = dict(
    type='EncoderWeights',
    checkpoint='work_dirs/hybrid-depth-stage1_clip-dinov2_1xb6-20e_tusimple_224x392/epoch_20.pth',
)
