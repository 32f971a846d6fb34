# Stage 2 with the camera's motion from the two DINO class tokens (hybrid_depth.md §2.5).
_base_ = 'monodepth2_hybrid_kitti.py'

model = dict(pose_net=dict(_delete_=True, type='ClassTokenPoseNet', channels=768))
