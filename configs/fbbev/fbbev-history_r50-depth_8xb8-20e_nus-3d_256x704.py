# FB-BEV with sixteen earlier key frames. Samples come as sequences, half a scene each in training
# (no class-balanced sampling, which would break sequences), whole scenes in testing. History starts
# after two epochs. Without class-balanced sampling an epoch is about a quarter as long (28130 key
# frames) as those of fbbev_r50-depth_*: compare at equal iterations.
_base_ = 'fbbev_r50-depth_8xb8-cbgs-20e_nus-3d_256x704.py'

model = dict(temporal=dict(type='History', num_frames=16))
default_hooks = dict(sequential=dict(type='SequentialControlHook'))

train_pipeline = [
    *_base_.train_pipeline[:4],
    # flips only: another rotation and scale per frame would blur the history
    dict(type='BEVAugmentation', rotate=(0, 0), scale=(1, 1)),
    *_base_.train_pipeline[5:],
]
train_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'),
    dataset=dict(
        _delete_=True,
        type='NuScenesBEVDataset',
        data_root=_base_.data_root,
        ann_file='nuscenes_infos_train.pkl',
        sequence_length=21,  # scenes have up to 41 key frames
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'), dataset=dict(sequence_length=1000)
)
test_dataloader = val_dataloader
