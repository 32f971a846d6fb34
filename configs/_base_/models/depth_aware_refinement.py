# FB-BEV's part of a detector: foreground cells refined by depth-aware attention.
refine = dict(
    type='DepthAwareRefinement',
    foreground_proposal=dict(type='ForegroundProposal'),
    backward_projection=dict(
        type='BackwardProjection', anchor_heights=(-5.0, 3.0, 2.0), feedforward_channels=512
    ),
)
