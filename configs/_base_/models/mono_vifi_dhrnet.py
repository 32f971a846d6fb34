# Mono-ViFI with D-HRNet (docs/reference/mono_vifi.md, "D-HRNet").
_base_ = './mono_vifi_r18.py'

model = dict(
    encoder=dict(_delete_=True, type='DHRNetEncoder', pretrained='hub'),
    decoder=dict(_delete_=True, type='DHRNetDecoder'),
)
