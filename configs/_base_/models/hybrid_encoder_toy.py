# Towers small enough to be trained from random weights on two CPU cores. There are no foundation
# weights for them, so DINO is trained too; the text tower stays random, which distinguishes the
# prompts.
model = dict(
    encoder=dict(
        type='HybridDepthEncoder',
        clip=dict(
            model_cfg=dict(
                embed_dim=128,
                quick_gelu=True,
                vision_cfg=dict(layers=(2, 2, 2, 2), width=24, head_width=64, image_size=64),
                text_cfg=dict(context_length=16, width=64, heads=2, layers=2),
            ),
            mean='imagenet',
            std='imagenet',
        ),
        dino=dict(
            name='vit_small_patch14_dinov2',
            embed_dim=96,
            depth=4,
            num_heads=3,
            img_size=112,
            stride=8,
        ),
        align_channels=64,
    )
)
