# Frame interpolation that Mono-ViFI is tested with (docs/reference/mono_vifi.md, "Frame
# interpolation").
_base_ = './ifrnet_large.py'

model = dict(net=dict(size='small'))
