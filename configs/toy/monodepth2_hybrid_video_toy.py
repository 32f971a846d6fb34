# Hybrid-depth's stage 2 on the six toy cameras, with known ego motion, neighbours in time only and
# the encoder of the toy detectors. It labels depth for them without LiDAR (hybrid-depth
# make-pseudo-depth), and can initialise their encoder. Without stage 1:
# --cfg-options model.init_cfg=None
_base_ = [
    '../_base_/models/hybrid_encoder_bev_toy.py',
    '../_base_/datasets/toy_video.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_video_depth.py',
]

model = dict(
    type='Monodepth2',
    encoder=_base_.encoder,
    decoder=dict(
        type='DPTDecoder', channels=64, level_channels=(64, 64, 128, 128), upsample=8, start=0.1
    ),
    pose_net=None,
    sources=(-1, 1),
    min_depth=1.0,
    max_depth=80.0,
    canonical_focal=177.0,  # of five of the six, at a width of 224 pixels
    init_cfg=dict(
        type='EncoderWeights', checkpoint='work_dirs/hybrid_stage1_video_toy/epoch_3.pth'
    ),
)
train_dataloader = dict(dataset=dict(ego_motion=True))
# no validation: the detectors trained on it evaluate its depth
val_cfg = None
test_cfg = None
