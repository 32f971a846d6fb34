# Overfits one real nuScenes keyframe (make bench-keyframe), to check the complete pipeline from
# pixels to mAP. ResNet-18 from scratch at 256x704, LiDAR depth supervision, no augmentation.
# Environment: HYBRID_DEPTH_NUSCENES, nuScenes root with the keyframe; HYBRID_DEPTH_INFOS, folder of
# its info files, from the repository's root; HYBRID_DEPTH_SPLIT, train or val.
_base_ = [
    '../_base_/models/bevdet_r50.py',
    '../_base_/datasets/nuscenes_bev.py',
    '../_base_/default_runtime.py',
]
data_root = '{{$HYBRID_DEPTH_NUSCENES:data/nuscenes_keyframe}}/'
split = '{{$HYBRID_DEPTH_SPLIT:train}}'
infos = '{{ fileDirname }}/../../{{$HYBRID_DEPTH_INFOS:work_dirs/keyframe}}'
ann_file = f'{infos}/nuscenes_infos_{split}.pkl'

model = dict(
    img_backbone=dict(depth=18, channel_order='rgb', with_cp=False, init_cfg=None),
    img_neck=dict(in_channels=[256, 512]),
    img_view_transformer=dict(
        grid=dict(rounding='floor'),
        depth_bins=dict(anchor='centre'),
        frustum_align='centres',
        depth_net=dict(depth_supervision=[dict(type='LidarDepthTarget', weight=3.0)]),
    ),
    img_bev_encoder_backbone=dict(channels=(64, 128, 256)),
    img_bev_encoder_neck=dict(in_channels=64 + 256, out_channels=128),
    pts_bbox_head=dict(
        in_channels=128, loss_cls=dict(loss_weight=6.0), loss_bbox=dict(loss_weight=1.5)
    ),
)

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(_base_.train_pipeline[2], random=False),
    _base_.train_pipeline[3],
    *_base_.train_pipeline[5:],  # no BEVAugmentation
]
keyframe = dict(data_root=data_root, ann_file=ann_file, metainfo=dict(version='v1.0-mini'))
train_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='InfiniteSampler', shuffle=False),
    dataset=dict(_delete_=True, type='NuScenesBEVDataset', pipeline=train_pipeline, **keyframe),
)
val_dataloader = dict(batch_size=1, num_workers=0, dataset=keyframe)
test_dataloader = val_dataloader
val_evaluator = dict(data_root=data_root, ann_file=ann_file, eval_split=f'mini_{split}')
test_evaluator = val_evaluator

max_iters = 300
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-2),
    clip_grad=dict(max_norm=5, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-6, T_max=max_iters, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(by_epoch=False, interval=50, max_keep_ckpts=2)
)
log_processor = dict(window_size=10, by_epoch=False)
