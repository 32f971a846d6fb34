# Stage 1 without lane labels on nuScenes' front camera. For own videos: folders of frames with
# intrinsics (VideoFolderDataset); set `lowest` of GroundPatches if the ego vehicle is visible, and
# `horizon` if the camera is pitched.
_base_ = 'hybrid-depth-stage1_clip-dinov2_1xb6-20e_kitti-raw_224x672.py'

video = dict(
    _delete_=True,
    type='VideoFolderDataset',
    data_root='data/nuscenes/samples/CAM_FRONT/',
    intrinsics=(1266.4, 1266.4, 816.3, 491.5),  # of one of the cars, good enough for the horizon
    frame_ids=(0,),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline, **video))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline, test_mode=True, **video))
