# KITTI odometry, colour, monocular triplets: training on sequences 00 to 08; evaluate-pose
# evaluates motion on 09 and 10.
_base_ = './kitti_raw_mono.py'

train_dataloader = dict(
    dataset=dict(
        type='KittiOdometryDataset',
        data_root='data/kitti_odometry/',
        split='splits/odom/train_files.txt',
    )
)
