# Mono-ViFI with ResNet-18 (arXiv 2407.14126): the models of one frame and of three share the
# encoder (docs/reference/mono_vifi.md, "Training step"). Frame interpolation comes from
# `convert-checkpoint ifrnet` or from a training of configs/mono_vifi/ifrnet_*.
model = dict(
    type='MonoViFI',
    encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
    decoder=dict(type='Monodepth2Decoder', scales=(0,)),
    pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet'),
    interpolation=dict(type='IFRNet', size='large', pretrained='checkpoints/ifrnet_large.pth'),
    test_interpolation=dict(type='IFRNet', size='small', pretrained='checkpoints/ifrnet_small.pth'),
    channels_last=True,  # four fifths of the time on CPU
)
