# ResNet-18 with the decoder, initial depth and learning rate of monodepth2_r18_toy.py.
_base_ = 'claim_both.py'

model = dict(
    encoder=dict(_delete_=True, type='ResNetDepthEncoder', depth=18, pretrained=None),
    decoder=dict(_delete_=True, type='Monodepth2Decoder', start=0.15),
    channels_last=True,
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
