# ManyDepth with ResNet-18, as published (arXiv 2104.14540): one frame before, 96 bins; the teacher
# is Monodepth2 with the same networks (docs/reference/manydepth.md, "Networks").
model = dict(
    type='ManyDepth',
    encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
    decoder=dict(type='Monodepth2Decoder'),
    teacher=dict(
        type='Monodepth2',
        encoder=dict(type='ResNetDepthEncoder', depth=18, pretrained='imagenet'),
        decoder=dict(type='Monodepth2Decoder'),
        pose_net=dict(type='ResNetPoseNet', depth=18, pretrained='imagenet'),
        masked_mean=True,
    ),
    lookups=(-1,),
    cost_volume=dict(num_bins=96, spacing='linear', depth_range=(0.1, 10.0)),
    channels_last=True,  # four fifths of the time on CPU
)
