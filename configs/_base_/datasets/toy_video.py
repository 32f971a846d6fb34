# The six cameras of the toy world as video, at 12 Hz:
#   hybrid-depth make-toy-world data/toy_video --keyframes 16 --sweeps 5 --size 256x144
_base_ = './nuscenes_video.py'

image_size = (224, 128)  # width, height

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], size=image_size),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(
    batch_size=6,
    num_workers=1,
    dataset=dict(
        data_root='data/toy_video/',
        version='v1.0-mini',
        split='mini_train',
        targets='all',
        pipeline=train_pipeline,
    ),
)
