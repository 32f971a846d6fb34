# Stage 2 with the camera motion predicted from the two DINO class tokens
# (docs/reference/hybrid_depth.md, "Camera motion").
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(pose_net=dict(_delete_=True, type='ClassTokenPoseNet', channels=768))
