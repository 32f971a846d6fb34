# toy_kitti.py with the neighbours of ManyDepth and their known motion (GPS and IMU), which a short
# run does not learn from video. The teacher learns from stereo pairs as well.
_base_ = './toy_kitti.py'

train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1, 's'), ego_motion=True))
val_dataloader = dict(
    dataset=dict(
        frame_ids=(0, -1), ego_motion=True, stereo_baseline=0.1, missing_neighbours='black'
    )
)
test_dataloader = val_dataloader
