# The study of foundation towers and language (tools/benchmark.py claim-depth): both towers and
# sentences, trained on stereo pairs. Towers are random here; the study gives them weights. The
# other configs of this folder take parts away.
_base_ = [
    '../../_base_/models/hybrid_encoder_toy.py',
    '../../_base_/datasets/toy_kitti.py',
    '../../_base_/claim_depth_runtime.py',
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
)
train_dataloader = dict(num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True))
# the last weights are scored, none are selected
val_cfg = val_dataloader = val_evaluator = None
