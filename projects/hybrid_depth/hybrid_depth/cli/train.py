"""Train a model from a config.

Example: hybrid-depth train configs/toy/bevdet_hybrid_toy.py --work-dir work_dirs/toy
Several GPUs: torchrun --nproc_per_node 8 -m hybrid_depth train CONFIG --launcher pytorch
An interrupted run continues with --resume and ends with the same weights.
"""

import argparse

from ..config_files import find_config
from .runner_arguments import add_runner_arguments, set_local_rank


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision: float16, or bfloat16 on the CPU'
    )
    parser.add_argument(
        '--sync_bn',
        choices=['none', 'torch', 'mmcv'],
        default='none',
        help='synchronised batch norm over all GPUs; recommended below 8 samples per GPU',
    )
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate by the batch size'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from this checkpoint; without a value, from the newest in the work dir',
    )
    parser.add_argument(
        '--tracker',
        nargs='+',
        choices=['tensorboard', 'wandb', 'mlflow'],
        default=[],
        help='log there too; wandb sends to its servers unless WANDB_MODE=offline',
    )
    add_runner_arguments(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)
    set_local_rank(args)

    from ..config_errors import explained
    from ..doctor.datasets import check_datasets
    from ..doctor.depth_range import check_depth_range
    from ..doctor.evaluation_pipelines import check_test_transforms
    from ..engine import config as config_tools
    from ..engine.work_dir import locked_work_dir

    cfg = config_tools.load_config(config, args.work_dir, args.cfg_options, args.launcher)
    config_tools.require_length(cfg)
    if args.amp:
        config_tools.enable_amp(cfg)
    if args.auto_scale_lr:
        config_tools.enable_lr_scaling(cfg)
    if args.sync_bn != 'none':
        cfg.sync_bn = args.sync_bn
    if args.resume:
        config_tools.set_resume(cfg, args.resume)
    config_tools.add_trackers(cfg, args.tracker)
    config_tools.check_initial_weights(cfg)
    check_depth_range(cfg)
    check_datasets(cfg, ('train_dataloader', 'val_dataloader', 'val_evaluator'))
    check_test_transforms(cfg, ('val_dataloader',))
    with locked_work_dir(cfg), explained(cfg):
        config_tools.build_runner(cfg).train()
