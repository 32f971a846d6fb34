# Second of two steps: photometric training on video from the weights of
# monodepth2-physics_r18_toy.py. A small weight on embodied depth holds the metres of the first.
_base_ = './monodepth2-photometric_r18_toy.py'

load_from = 'work_dirs/monodepth2-physics_r18_toy/epoch_3.pth'
model = dict(physics_weight=0.1)
train_dataloader = dict(
    dataset=dict(
        depth_folders=dict(physics_depth='data/toy_kitti_embodied/depth'),
        pipeline=[
            _base_.train_pipeline[0],
            dict(type='LoadDepthMaps'),
            *_base_.train_pipeline[1:],
        ],
    )
)
