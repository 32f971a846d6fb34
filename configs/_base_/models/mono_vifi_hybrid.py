# Mono-ViFI with the hybrid encoder of Hybrid-depth (CLIP RN50 and DINOv2 ViT-B/14, 128 depth
# sentences) and the DPT head. The combination is of this toolkit: there is no public code of it.
_base_ = './mono_vifi_r18.py'

model = dict(
    encoder=dict(
        _delete_=True,
        type='HybridDepthEncoder',
        clip=dict(name='RN50-quickgelu', pretrained='openai', mean='none', std='none'),
        dino=dict(
            name='vit_base_patch14_dinov2.lvd142m', pretrained='hub', mean='none', std='none'
        ),
        text=dict(num_tokens=128),
        trainable=('clip.visual', 'align', 'language.prompts'),
    ),
    decoder=dict(_delete_=True, type='DPTDecoder'),
)
