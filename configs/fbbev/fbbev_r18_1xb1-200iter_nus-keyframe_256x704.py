# FB-BEV overfits one real nuScenes keyframe, as BEVDet does (README.md of this folder).
_base_ = '../bevdet/bevdet_r18_1xb1-200iter_nus-keyframe_256x704.py'

model = dict(
    refine=dict(
        type='DepthAwareRefinement',
        foreground_proposal=dict(type='ForegroundProposal'),
        backward_projection=dict(
            type='BackwardProjection', anchor_heights=(-5.0, 3.0, 2.0), feedforward_channels=512
        ),
    ),
)
