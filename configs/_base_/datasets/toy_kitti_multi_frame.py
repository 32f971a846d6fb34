# toy_kitti.py with the neighbours of ManyDepth. The teacher learns from stereo pairs as well, which
# give motion and depth a start that a short run does not find from video.
_base_ = './toy_kitti.py'

train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1, 's')))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1), missing_neighbours='black'))
test_dataloader = val_dataloader
