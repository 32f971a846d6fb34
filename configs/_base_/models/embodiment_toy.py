# Vision-Language Embodiment small enough to be trained from random weights on two CPU cores.
model = dict(
    type='VisionLanguageEmbodiment',
    encoder=dict(type='TimmDepthEncoder', name='resnet10t'),
    prior_encoder=dict(type='TimmDepthEncoder', name='lcnet_050', mean='none', std='none'),
    decoder=dict(type='LatentDepthDecoder', widths=(64, 32, 16), latent=16),
    text_width=2048,
    text_probability=0.1,
)
