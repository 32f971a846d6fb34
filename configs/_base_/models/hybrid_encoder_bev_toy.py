# The smallest hybrid encoder, of the toy detectors and of the depth model that labels them.
encoder = dict(
    type='HybridDepthEncoder',
    clip=dict(
        model_cfg=dict(
            embed_dim=64,
            quick_gelu=True,
            vision_cfg=dict(layers=(1, 1, 1, 1), width=16, head_width=32, image_size=64),
            text_cfg=dict(context_length=16, width=32, heads=2, layers=2),
        ),
        mean='imagenet',
        std='imagenet',
    ),
    dino=dict(
        name='vit_small_patch14_dinov2',
        embed_dim=64,
        depth=4,
        num_heads=4,
        img_size=56,
        stride=16,
    ),
    text=dict(num_tokens=8),
    align_channels=32,
    trainable=('clip.visual', 'dino', 'align', 'language.prompts'),
)
stage1_encoder = dict(encoder, text=dict(), trainable=('clip.visual', 'dino', 'align'))
