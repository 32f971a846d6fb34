# nuScenes' six cameras as video (12 Hz where sweeps/ is there, else 2 Hz) for depth without LiDAR.
# The six cameras have different focal lengths: give the model a canonical_focal.
_base_ = './depth_loaders.py'

image_size = (504, 280)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='FlipFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='JitterFrames'),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    **_base_.train_loader,
    dataset=dict(
        type='NuScenesVideoDataset',
        data_root='data/nuscenes/',
        version='v1.0-trainval',
        split='train',
        frame_ids=(0, -1, 1),
        targets='keyframes',
        pipeline=train_pipeline,
    ),
)
