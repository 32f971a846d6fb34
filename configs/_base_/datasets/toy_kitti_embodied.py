# The toy world's KITTI tree with dense depth, embodied depth, captions and object sentences:
#   hybrid-depth make-toy-world data/toy_kitti --layout kitti
#   hybrid-depth make-embodied-depth data/toy_kitti data/toy_kitti_embodied ... (see --help)
#   hybrid-depth make-text-features data/toy_kitti/captions.jsonl data/toy_kitti_text \
#       --embodied data/toy_kitti_embodied --instances data/toy_kitti/instance --pretrained none
# The text tower of the toy has random weights: it tells texts apart, and knows nothing.
_base_ = './toy_kitti_supervised.py'

text_root = 'data/toy_kitti_text/'
load_text = dict(
    type='LoadText',
    data_root=_base_.data_root,
    captions=_base_.data_root + 'captions.jsonl',
    features=text_root + 'features.safetensors',
    objects=text_root + 'objects.jsonl',
)
depth_folders = dict(physics_depth='data/toy_kitti_embodied/depth')
train_pipeline = [*_base_.train_pipeline[:2], load_text, *_base_.train_pipeline[2:]]
test_pipeline = [*_base_.test_pipeline[:2], load_text, *_base_.test_pipeline[2:]]

train_dataloader = dict(dataset=dict(depth_folders=depth_folders, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(depth_folders=depth_folders, pipeline=test_pipeline))
test_dataloader = val_dataloader
