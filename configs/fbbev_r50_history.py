# FB-BEV with sixteen earlier key frames. Samples come as sequences, half a scene each in training
# (no class-balanced sampling: it tears sequences apart), whole scenes in testing. History starts
# after two epochs.
_base_ = 'fbbev_r50.py'

model = dict(history_fusion=dict(type='HistoryFusion', num_frames=16))
default_hooks = dict(sequential=dict(type='SequentialControlHook'))

train_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'),
    dataset=dict(
        _delete_=True,
        type='NuScenesBEVDataset',
        data_root=_base_.data_root,
        ann_file='nuscenes_infos_train.pkl',
        sequence_length=20,
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'), dataset=dict(sequence_length=1000)
)
test_dataloader = val_dataloader
