# BEVDet-R50 with the hybrid depth net, supervised by a self-supervised model instead of LiDAR:
# configs/hybrid_depth/README.md has the commands that make its depth. For both put LidarDepthTarget beside it and LoadLidarDepth into the pipeline, see
# bevdet_hybrid.py; PseudoDepthTarget(where='without_lidar') then fills what LiDAR leaves open.
_base_ = '../bevdet_hybrid.py'

train_pipeline = [
    dict(type='LoadMultiViewImages'),
    dict(type='LoadEgoBoxes'),
    dict(type='ImageAugmentation', final_size={{_base_.final_size}}, random=True),
    dict(type='LoadPseudoDepth', folder='data/nuscenes/pseudo_depth'),
    dict(type='BEVAugmentation'),
    dict(type='ObjectRangeFilter', point_cloud_range={{_base_.point_cloud_range}}),
    dict(type='ObjectNameFilter', classes={{_base_.class_names}}),
    dict(type='PackBEVInputs'),
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))

model = dict(
    img_view_transformer=dict(
        depth_net=dict(depth_supervision=[dict(type='PseudoDepthTarget', weight=3.0)])
    )
)
