# FB-BEV with the hybrid (CLIP + DINO + language) depth net.
_base_ = '../bevdet_hybrid.py'

model = dict(
    refine=dict(
        type='DepthAwareRefinement',
        foreground_proposal=dict(type='ForegroundProposal'),
        backward_projection=dict(
            type='BackwardProjection', anchor_heights=(-5.0, 3.0, 2.0), feedforward_channels=512
        ),
    ),
)
