# KITTI raw, stereo pairs: depth has the unit 5.4 m, so evaluation does not scale it.
_base_ = './kitti_raw_mono.py'

train_dataloader = dict(
    dataset=dict(split='splits/eigen_full/train_files.txt', frame_ids=(0, 's'), stereo_baseline=0.1)
)
val_evaluator = dict(protocol='kitti_eigen_stereo')
test_evaluator = val_evaluator
