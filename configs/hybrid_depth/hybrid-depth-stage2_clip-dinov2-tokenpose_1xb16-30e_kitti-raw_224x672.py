# Stage 2 with the camera motion predicted from the two DINO class tokens
# (docs/reference/hybrid_depth.md, "Camera motion").
_base_ = 'hybrid-depth-stage2_clip-dinov2_1xb16-30e_kitti-raw_224x672.py'

model = dict(pose_net=dict(_delete_=True, type='ClassTokenPoseNet', channels=768))
