# BEVDet for classes of your own, on the toy world: names of the info file's categories, in the
# order of the labels, each with the distance up to which it is evaluated, metres.
_base_ = '../../configs/toy/bevdet_plain_toy.py'

ranges = dict(car=50.0, pedestrian=40.0, traffic_cone=30.0)
classes = list(ranges)
metainfo = dict(classes=classes)
pipeline = [
    dict(step, classes=classes) if step['type'] == 'ObjectNameFilter' else step
    for step in _base_.train_pipeline
]

model = dict(
    pts_bbox_head=dict(
        tasks=[dict(num_class=len(classes), class_names=classes)],
        # boxes this much larger than they are suppress each other: small objects are far apart
        test_cfg=dict(nms_rescale_factor=[[1.0, 4.5, 3.5]]),
    )
)
train_dataloader = dict(dataset=dict(dataset=dict(metainfo=metainfo, pipeline=pipeline)))
test_dataloader = dict(dataset=dict(metainfo=metainfo))
test_evaluator = dict(protocol=dict(ranges=ranges))
