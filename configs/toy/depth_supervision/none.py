# The toy study of depth supervision (make bench-bev-depth): the hybrid depth net without any, depth
# and detection trained jointly. The other configs of this folder change its supervision or its
# depth net.
_base_ = ['../bevdet_plain_toy.py', '../../_base_/models/hybrid_encoder_bev_toy.py']

model = dict(
    img_view_transformer=dict(
        depth_net=dict(
            _delete_=True,
            type='EncoderDepthNet',
            encoder=dict(
                type='PriorEncoder',
                encoder=_base_.encoder,
                prior=dict(type='GroundPlanePrior'),
            ),
            encoder_channels=64,
            mid_channels=48,
            aspp_channels=16,
        )
    )
)
train_pipeline = [
    *_base_.train_pipeline[:3],
    *_base_.train_pipeline[4:],  # no LoadLidarDepth
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
