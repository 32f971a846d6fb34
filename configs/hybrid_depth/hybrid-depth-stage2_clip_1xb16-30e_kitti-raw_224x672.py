# Stage 2 with CLIP only: its four maps have different strides, as Monodepth2's decoder needs.
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(
    init_cfg=dict(unused=('dino',)),
    encoder=dict(
        dino=None,
        trainable=(
            'clip.visual',
            'align',
            'language.prompts',
            'language.tower.token_embedding',
            'language.tower.positional_embedding',
            'language.tower.ln_final',
            'language.tower.text_projection',
        ),
    ),
    decoder=dict(_delete_=True, type='Monodepth2Decoder', scales=(0,)),
)
