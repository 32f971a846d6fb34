# Frame interpolation that Mono-ViFI trains with (docs/reference/mono_vifi.md, "Frame
# interpolation").
model = dict(type='FrameInterpolation', net=dict(type='IFRNet', size='large'))
