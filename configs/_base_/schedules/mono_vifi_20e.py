# Mono-ViFI's schedule: 20 epochs, a tenth of the rate after 15
# (docs/reference/mono_vifi.md, "Optimisation").
_base_ = './monodepth2_20e.py'

optim_wrapper = dict(
    optimizer=dict(type='AdamW', weight_decay=0.01), clip_grad=dict(max_norm=5, norm_type=2)
)
