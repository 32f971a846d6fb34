# Monodepth2 on MyVideo, trained on neighbouring frames.
_base_ = [
    '../../configs/_base_/models/monodepth2_r18.py',
    '../../configs/_base_/datasets/kitti_raw_mono.py',
    '../../configs/_base_/schedules/monodepth2_20e.py',
    '../../configs/_base_/depth_runtime.py',
]

custom_imports = dict(imports=['hybrid_depth.depth_modules', 'my_dataset'])
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MyVideo',
        data_root='data/my_video',
        ann_file='clips.json',
        pipeline={{_base_.train_pipeline}},
    )
)
val_cfg = val_dataloader = val_evaluator = None  # no ground truth
test_cfg = test_dataloader = test_evaluator = None
