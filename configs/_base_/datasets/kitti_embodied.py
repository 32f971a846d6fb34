# Supervised KITTI with captions, embodied depth and object sentences. Before training, besides the
# captions of kitti_text.py (labels by any segmentation network, see make-embodied-depth --help):
#   hybrid-depth make-embodied-depth ...
#   hybrid-depth make-text-features data/kitti_text/captions.jsonl data/kitti_text \
#       --embodied data/kitti_embodied --instances data/kitti_labels/instance
_base_ = './kitti_text.py'

load_text = dict(_base_.load_text, objects=_base_.text_root + 'objects.jsonl')
depth_folders = dict(physics_depth='data/kitti_embodied/depth')
train_pipeline = [*_base_.train_pipeline[:2], load_text, *_base_.train_pipeline[3:]]
test_pipeline = [*_base_.test_pipeline[:2], load_text, *_base_.test_pipeline[3:]]

train_dataloader = dict(dataset=dict(depth_folders=depth_folders, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(depth_folders=depth_folders, pipeline=test_pipeline))
test_dataloader = val_dataloader
