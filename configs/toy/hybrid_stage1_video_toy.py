# Stage 1 of monodepth2_hybrid_video_toy.py: ground rows of the six toy cameras, no lane labels.
_base_ = [
    '../_base_/models/hybrid_encoder_bev_toy.py',
    '../_base_/datasets/toy_video.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_video_depth.py',
]

model = dict(type='LanguageAlignment', both_ways=True, encoder=_base_.stage1_encoder)
train_dataloader = dict(
    dataset=dict(
        frame_ids=(0,),
        pipeline=[
            *_base_.train_pipeline[:3],
            dict(type='JitterFrames', prob=1.0),
            dict(type='GroundPatches'),
            _base_.train_pipeline[4],
        ],
    )
)
val_cfg = None
test_cfg = None
