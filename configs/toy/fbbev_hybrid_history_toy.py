# FB-BEV at toy size with four earlier key frames, used from the third epoch after the nine of
# depth-first training on.
_base_ = 'fbbev_hybrid_toy.py'

model = dict(temporal=dict(type='History', num_frames=4))
default_hooks = dict(sequential=dict(type='SequentialControlHook', start_epoch=11))

train_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'),
    dataset=dict(dataset=dict(sequence_length=8)),
)
test_dataloader = dict(
    batch_sampler=dict(type='SequenceBatchSampler'), dataset=dict(sequence_length=1000)
)
