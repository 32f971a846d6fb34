# nuScenes keyframes at 256x704, BEVDet's augmentation, class-balanced sampling (CBGS). Info files
# come from hybrid-depth create-nuscenes-infos. Models override the lists they change.
_base_ = []  # without it mmengine takes a config that imports for one of its other syntax
from hybrid_depth.datasets.nuscenes import names  # noqa: E402

data_root = 'data/nuscenes/'
class_names = list(names.CLASSES)
point_cloud_range = [-51.2, -51.2, -5.0, 51.2, 51.2, 3.0]
final_size = (256, 704)

train_pipeline = [
    dict(type='LoadMultiViewImages'),
    dict(type='LoadEgoBoxes'),
    dict(type='ImageAugmentation', final_size=final_size, random=True),
    dict(type='LoadLidarDepth', depth_range=(1.0, 60.0)),
    dict(type='BEVAugmentation'),
    dict(type='ObjectRangeFilter', point_cloud_range=point_cloud_range),
    dict(type='ObjectNameFilter', classes=class_names),
    dict(type='PackBEVInputs'),
]
test_pipeline = [
    dict(type='LoadMultiViewImages'),
    dict(type='ImageAugmentation', final_size=final_size, random=False),
    dict(type='LoadLidarDepth', depth_range=(1.0, 60.0), required=False),
    dict(type='PackBEVInputs'),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CBGSDataset',
        dataset=dict(
            type='NuScenesBEVDataset',
            data_root=data_root,
            ann_file='nuscenes_infos_train.pkl',
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='NuScenesBEVDataset',
        data_root=data_root,
        ann_file='nuscenes_infos_val.pkl',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='BEVDetectionMetric',
    data_root=data_root,
    ann_file=data_root + 'nuscenes_infos_val.pkl',
    eval_split='val',
)
test_evaluator = val_evaluator
