# The generated toy world (hybrid-depth make-toy-world): 256x144 images, cropped to 96x256. Small
# enough for two CPU cores; no class-balanced sampling and no augmentation, which slow down short
# trainings.
_base_ = []  # without it mmengine takes a config that imports for one of its other syntax
from hybrid_depth.datasets.nuscenes import names  # noqa: E402

data_root = 'data/toy/'
class_names = list(names.CLASSES)
point_cloud_range = [-51.2, -51.2, -5.0, 51.2, 51.2, 3.0]
final_size = (96, 256)
metainfo = dict(version='v1.0-mini')

train_pipeline = [
    dict(type='LoadMultiViewImages'),
    dict(type='LoadEgoBoxes'),
    dict(type='ImageAugmentation', final_size=final_size, random=False),
    dict(type='LoadLidarDepth', depth_range=(1.0, 56.0)),
    dict(type='ObjectRangeFilter', point_cloud_range=point_cloud_range),
    dict(type='ObjectNameFilter', classes=class_names),
    dict(type='PackBEVInputs'),
]
test_pipeline = [
    dict(type='LoadMultiViewImages'),
    dict(type='ImageAugmentation', final_size=final_size, random=False),
    dict(type='LoadLidarDepth', depth_range=(1.0, 56.0), required=False),
    dict(type='PackBEVInputs'),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CachedDataset',
        dataset=dict(
            type='NuScenesBEVDataset',
            data_root=data_root,
            ann_file='nuscenes_infos_train.pkl',
            metainfo=metainfo,
            pipeline=train_pipeline,
        ),
    ),
)
# no val_dataloader, to save minutes: hybrid-depth test evaluates the last checkpoint
test_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='NuScenesBEVDataset',
        data_root=data_root,
        ann_file='nuscenes_infos_val.pkl',
        metainfo=metainfo,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(
    type='BEVDetectionMetric',
    data_root=data_root,
    ann_file=data_root + 'nuscenes_infos_val.pkl',
    eval_split='mini_val',
)
