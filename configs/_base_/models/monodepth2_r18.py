# Monodepth2 with ResNet-18, as published (arXiv 1806.01260). Sampling fits the pixel grid
# (align_corners=True), as when the released weights were trained
# (docs/reference/monodepth2.md, "Projection and sampling").
model = dict(
    type='Monodepth2',
    encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
    decoder=dict(type='Monodepth2Decoder'),
    pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet'),
    channels_last=True,  # four fifths of the time on CPU
)
