"""Encoder configs small enough for tests and for training on a CPU.

Most of the 2.4 M parameters of `TINY_HYBRID` are the token embedding of CLIP's vocabulary: train
with trainable=('clip', 'dino', 'align', 'language.prompts') to exclude it.
"""

TINY_CLIP = dict(
    model_cfg=dict(
        embed_dim=64,
        quick_gelu=True,
        vision_cfg=dict(layers=(1, 1, 1, 1), width=16, head_width=32, image_size=64),
        text_cfg=dict(context_length=16, width=32, heads=2, layers=2),
    ),
    mean='imagenet',
    std='imagenet',
)
TINY_DINO = dict(
    name='vit_small_patch14_dinov2',
    embed_dim=64,
    depth=4,
    num_heads=4,
    img_size=56,
    mean='imagenet',
    std='imagenet',
)
TINY_HYBRID = dict(
    type='HybridDepthEncoder',
    clip=TINY_CLIP,
    dino=TINY_DINO,
    text=dict(num_tokens=8),
    align_channels=32,
)
