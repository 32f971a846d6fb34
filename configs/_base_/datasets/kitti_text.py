# Supervised KITTI with captions; the colour factors of WorDepth (docs/reference/wordepth.md,
# "WorDepth"), contrast in place of gamma. Before training:
#   hybrid-depth make-captions data/kitti data/kitti_text/captions.jsonl \
#       --glob '*/*/image_0[23]/data/*' --model Salesforce/blip-image-captioning-base
#   hybrid-depth make-text-features data/kitti_text/captions.jsonl data/kitti_text
_base_ = './kitti_supervised.py'

text_root = 'data/kitti_text/'
load_text = dict(
    type='LoadText',
    data_root=_base_.data_root,
    captions=text_root + 'captions.jsonl',
    features=text_root + 'features.safetensors',
)
factors = (0.9, 1.1)
jitter = dict(
    type='JitterFrames', brightness=factors, contrast=factors, saturation=factors, hue=(0, 0)
)
train_pipeline = [
    *_base_.train_pipeline[:2],
    load_text,
    *_base_.train_pipeline[2:4],
    jitter,
    *_base_.train_pipeline[5:],
]
test_pipeline = [*_base_.test_pipeline[:2], load_text, *_base_.test_pipeline[2:]]

train_dataloader = dict(batch_size=3, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=3, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
