# Evaluation on the improved ground truth: export it first with `hybrid-depth prepare-kitti
# export-gt ROOT ROOT/gt/eigen_benchmark --source improved --depth-root ANNOTATED`.
_base_ = './kitti_raw_mono.py'

test_dataloader = dict(dataset=dict(split='gt/eigen_benchmark/files.txt'))
test_evaluator = dict(
    truth=_base_.data_root + 'gt/eigen_benchmark', protocol='kitti_eigen_benchmark'
)
