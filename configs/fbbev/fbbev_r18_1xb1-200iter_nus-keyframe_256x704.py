# FB-BEV overfits one real nuScenes keyframe, as bevdet_r18_keyframe.py does:
#   make bench-keyframe KEYFRAME_CONFIG=configs/fbbev_r18_keyframe.py KEYFRAME=work_dirs/fb_keyframe
_base_ = 'bevdet_r18_keyframe.py'

model = dict(
    refine=dict(
        type='DepthAwareRefinement',
        foreground_proposal=dict(type='ForegroundProposal'),
        backward_projection=dict(
            type='BackwardProjection', anchor_heights=(-5.0, 3.0, 2.0), feedforward_channels=512
        ),
    ),
)
