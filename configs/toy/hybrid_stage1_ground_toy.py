# The toy stage 1 without lane labels: ground rows of the toy KITTI tree.
_base_ = ['hybrid_stage1_toy.py']

image_size = (320, 96)  # width, height
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
toy_kitti = dict(_delete_=True, type='KittiRawDataset', data_root='data/toy_kitti/', frame_ids=(0,))
train_dataloader = dict(
    dataset=dict(split='splits/toy/train_files.txt', pipeline=train_pipeline, **toy_kitti)
)
val_dataloader = dict(
    dataset=dict(
        split='splits/toy/val_files.txt', pipeline=test_pipeline, test_mode=True, **toy_kitti
    )
)
test_dataloader = val_dataloader
