# The toy detector with the hybrid depth net: small CLIP and DINO towers and text tower, randomly
# initialised and trained completely.
_base_ = ['bevdet_depth_toy.py', '../_base_/models/hybrid_encoder_bev_toy.py']

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            type='EncoderDepthNet',
            encoder=dict(
                type='PriorEncoder',
                encoder=_base_.encoder,
                prior=dict(type='GroundPlanePrior'),
            ),
            encoder_channels=64,
        )
    )
)
