# FB-BEV's part of a toy detector.
refine = dict(
    type='DepthAwareRefinement',
    foreground_proposal=dict(type='ForegroundProposal', teacher_forcing=False),
    backward_projection=dict(
        type='BackwardProjection',
        anchor_heights=(-1.0, 3.0, 1.0),
        num_heads=4,
        feedforward_channels=64,
    ),
)
