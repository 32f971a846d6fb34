# Mono-ViFI with ResNet-18 on the toy KITTI tree, after ifrnet_small_toy.py. A short run from video
# alone needs a start: the encoder is that of monodepth2_r18_toy.py, which learns from stereo pairs.
_base_ = [
    '../_base_/models/mono_vifi_r18.py',
    '../_base_/datasets/toy_kitti.py',
    '../_base_/depth_runtime.py',
    '../_base_/schedules/toy_depth.py',
]

image_size = (192, 64)  # width, height
train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='AffineFrames', size=image_size),
    _base_.train_pipeline[2],
    dict(_base_.train_pipeline[3], per_frame=True),
    _base_.train_pipeline[4],
]
model = dict(
    encoder=dict(pretrained=None),
    decoder=dict(start=0.15),
    pose_net=dict(pretrained=None),
    interpolation=dict(size='small', pretrained='work_dirs/ifrnet_small_toy/epoch_6.pth'),
    test_interpolation=None,
    init_cfg=dict(
        type='EncoderWeights', checkpoint='work_dirs/monodepth2_r18_toy/epoch_6.pth', new=()
    ),
)
train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1), missing_neighbours='repeat'))
test_dataloader = val_dataloader
