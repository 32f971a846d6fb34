# BEVDet4D's part of a detector: the BEV map of the previous key frame, with a small net on each
# map.
temporal = dict(
    type='AdjacentFrames',
    pre_process_net=dict(
        type='CustomResNet', in_channels=80, channels=(80,), num_blocks=(2,), strides=(1,)
    ),
)
