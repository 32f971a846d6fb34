# Mono-ViFI with Lite-Mono (docs/reference/mono_vifi.md, "Lite-Mono").
_base_ = './mono_vifi_r18.py'

model = dict(
    encoder=dict(_delete_=True, type='LiteMonoEncoder'),
    decoder=dict(_delete_=True, type='LiteMonoDecoder'),
)
