# KITTI odometry, colour, monocular triplets: train on sequences 00 to 08, score motion on 09, 10
# with hybrid-depth evaluate-pose.
_base_ = './kitti_raw_mono.py'

train_dataloader = dict(
    dataset=dict(
        type='KittiOdometryDataset',
        data_root='data/kitti_odometry/',
        split='splits/odom/train_files.txt',
    )
)
