# Monodepth2 with ResNet-18, as published (arXiv 1806.01260), except that sampling fits the pixel
# grid (align_corners=True): what the released weights were trained with, see depth.md §3.1.
model = dict(
    type='Monodepth2',
    encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
    decoder=dict(type='Monodepth2Decoder'),
    pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet'),
)
