# Hybrid-depth's ManyDepth on KITTI, from the encoder of stage 1. Without stage 1, from the
# foundation weights: --cfg-options model.init_cfg=None
_base_ = [
    '../_base_/models/manydepth_hybrid.py',
    '../_base_/datasets/kitti_raw_hybrid.py',
    '../_base_/multi_frame_runtime.py',
    '../_base_/schedules/manydepth_20e.py',
]

model = dict(init_cfg=_base_.stage1_weights)
# AdamW as before the teacher is frozen; the release goes on with Adam
# (docs/reference/manydepth.md, "Hybrid-depth's student")
optim_wrapper = dict(
    optimizer=dict(type='AdamW', weight_decay=0.01), clip_grad=dict(max_norm=10, norm_type=2)
)
train_dataloader = dict(batch_size=12, dataset=dict(missing_neighbours='black'))
val_dataloader = dict(dataset=dict(frame_ids=(0, -1), missing_neighbours='black'))
test_dataloader = val_dataloader
