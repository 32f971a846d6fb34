# Monodepth2 on a timm pyramid: any `features_only` model whose strides are powers of two.
_base_ = 'monodepth2_r18_1xb12-20e_kitti-raw_192x640.py'

model = dict(
    encoder=dict(
        _delete_=True,
        type='TimmDepthEncoder',
        name='convnext_tiny.dinov3_lvd1689m',
        pretrained='hub',
    ),
)
