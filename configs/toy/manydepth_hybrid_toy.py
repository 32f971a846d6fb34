# ManyDepth with the hybrid encoder and toy towers, from random weights on the toy KITTI tree.
_base_ = [
    '../_base_/models/hybrid_encoder_toy.py',
    '../_base_/datasets/toy_kitti_multi_frame.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

model = dict(
    type='ManyDepth',
    encoder=dict(
        text=dict(num_tokens=16), trainable=('clip.visual', 'dino', 'align', 'language.prompts')
    ),
    decoder=dict(
        type='DPTDecoder', channels=64, level_channels=(64, 64, 128, 128), upsample=8, start=0.15
    ),
    teacher=dict(
        type='Monodepth2',
        encoder=dict(type='ResNetDepthEncoder', depth=18),
        decoder=dict(type='Monodepth2Decoder', scales=(0,), start=0.15),
        pose_net=dict(type='ResNetPoseNet', depth=18),
        sources=(-1, 1, 's'),
        masked_mean=True,
    ),
    lookups=(-1,),
    cost_volume=dict(num_bins=48, depth_range=(0.1, 10.0)),
)
default_hooks = dict(freeze_teacher=dict(epoch=4))
