# KITTI raw for models of several frames: the first frame of a drive has a black one before it, and
# the frames that are scored come with the one before (docs/reference/manydepth.md, "Data").
_base_ = './kitti_raw_mono.py'

train_dataloader = dict(dataset=dict(missing_neighbours='black'))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1), missing_neighbours='black'))
test_dataloader = val_dataloader
