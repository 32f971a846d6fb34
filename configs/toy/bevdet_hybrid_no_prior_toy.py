# The toy detector with the hybrid depth net, without the ground prior.
_base_ = ['bevdet_depth_toy.py', '../_base_/models/hybrid_encoder_bev_toy.py']

model = dict(
    img_view_transformer=dict(
        depth_net=dict(type='EncoderDepthNet', encoder=_base_.encoder, encoder_channels=64)
    )
)
