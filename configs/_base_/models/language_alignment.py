# Hybrid-depth stage 1: CLIP RN50 is trained to rank patches by seven depth prompts, DINOv2 and the
# text tower are frozen (docs/reference/hybrid_depth.md, "Stage 1 training"); both towers normalise
# with ImageNet statistics (docs/reference/hybrid_depth.md, "Stage 1 losses").
model = dict(
    type='LanguageAlignment',
    encoder=dict(
        type='HybridDepthEncoder',
        clip=dict(name='RN50-quickgelu', pretrained='openai', mean='imagenet', std='imagenet'),
        dino=dict(
            name='vit_base_patch14_dinov2.lvd142m',
            pretrained='hub',
            mean='imagenet',
            std='imagenet',
        ),
        text=dict(),
        trainable=('clip.visual', 'align'),
    ),
)
