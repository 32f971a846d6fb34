# Hybrid-depth's stage 2 with toy towers, from the encoder of hybrid_stage1_toy.py. Without stage 1:
# --cfg-options model.init_cfg=None
_base_ = [
    '../_base_/models/hybrid_encoder_toy.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

model = dict(
    type='Monodepth2',
    encoder=dict(
        text=dict(num_tokens=16), trainable=('clip.visual', 'dino', 'align', 'language.prompts')
    ),
    decoder=dict(
        type='DPTDecoder', channels=64, level_channels=(64, 64, 128, 128), upsample=8, start=0.05
    ),
    pose_net=None,
    sources=('s',),
    init_cfg=dict(type='EncoderWeights', checkpoint='work_dirs/hybrid_stage1_toy/epoch_6.pth'),
)
