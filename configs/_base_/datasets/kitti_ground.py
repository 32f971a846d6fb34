# Stage 1 without lane labels: ground rows of KITTI's images, evaluated on the Eigen test frames.
_base_ = './depth_loaders.py'

data_root = 'data/kitti/'
image_size = (672, 224)  # width, height

train_pipeline = [
    dict(type='LoadFrames'),
    dict(type='FlipFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='JitterFrames', prob=1.0),
    dict(type='GroundPatches'),
    dict(type='PackFrames'),
]
test_pipeline = [
    dict(type='LoadFrames'),
    dict(type='ResizeFrames', size=image_size),
    dict(type='GroundPatches', random=False),
    dict(type='PackFrames'),
]

train_dataloader = dict(
    batch_size=6,
    num_workers=6,
    **_base_.train_loader,
    dataset=dict(
        type='KittiRawDataset',
        data_root=data_root,
        split='splits/eigen_zhou/train_files.txt',
        frame_ids=(0,),
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type='KittiRawDataset',
        data_root=data_root,
        split='eigen',
        frame_ids=(0,),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(type='PatchOrderMetric')
