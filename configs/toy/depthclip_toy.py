# DepthCLIP with a small CLIP of random weights on the toy KITTI tree: that it runs, not how well.
_base_ = [
    '../_base_/datasets/toy_kitti_supervised.py',
    '../_base_/schedules/toy_depth.py',
    '../_base_/depth_runtime.py',
]

model = dict(
    type='DepthCLIP',
    encoder=dict(
        type='CLIPDepthEncoder',
        model_cfg=dict(
            embed_dim=128,
            quick_gelu=True,
            vision_cfg=dict(layers=(2, 2, 2, 2), width=24, head_width=64, image_size=64),
            text_cfg=dict(context_length=16, width=64, heads=2, layers=2),
        ),
    ),
    bins=(2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0),
)
train_cfg = dict(max_epochs=0)
