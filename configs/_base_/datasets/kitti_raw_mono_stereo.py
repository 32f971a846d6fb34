# KITTI raw, monocular triplets and the other camera.
_base_ = './kitti_raw_mono.py'

train_dataloader = dict(dataset=dict(frame_ids=(0, -1, 1, 's'), stereo_baseline=0.1))
val_evaluator = dict(protocol='kitti_eigen_stereo')
test_evaluator = val_evaluator
