# DDAD with captions, embodied depth and object sentences, made as those of KITTI
# (kitti_embodied.py); labels by any segmentation network.
_base_ = './ddad.py'

text_root = 'data/ddad_text/'
load_depth = dict(type='LoadDepthMaps')
load_text = dict(
    type='LoadText',
    data_root=_base_.data_root,
    captions=text_root + 'captions.jsonl',
    features=text_root + 'features.safetensors',
    objects=text_root + 'objects.jsonl',
)
depth_folders = dict(physics_depth='data/ddad_embodied/depth')
factors = (0.9, 1.1)
jitter = dict(
    type='JitterFrames', brightness=factors, contrast=factors, saturation=factors, hue=(0, 0)
)
train_pipeline = [
    *_base_.train_pipeline[:2],
    load_depth,
    load_text,
    *_base_.train_pipeline[2:4],
    jitter,
    *_base_.train_pipeline[5:],
]
test_pipeline = [
    *_base_.test_pipeline[:2],
    load_depth,
    load_text,
    *_base_.test_pipeline[2:],
]

train_dataloader = dict(
    batch_size=3, dataset=dict(depth_folders=depth_folders, pipeline=train_pipeline)
)
val_dataloader = dict(
    batch_size=3, dataset=dict(depth_folders=depth_folders, pipeline=test_pipeline)
)
test_dataloader = val_dataloader
