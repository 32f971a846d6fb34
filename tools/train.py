#!/usr/bin/env python
"""Train a model from a config.

Example: python tools/train.py configs/toy/bevdet_hybrid_toy.py --work-dir work_dirs/toy
Several GPUs: torchrun --nproc_per_node 8 tools/train.py CONFIG --launcher pytorch
A run that was stopped goes on with --resume and ends with the same weights.
"""

import argparse
from pathlib import Path

from hybrid_depth import cli
from hybrid_depth.datasets.check import check_datasets
from hybrid_depth.engine import config as config_tools

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision: float16, or bfloat16 on the CPU'
    )
    parser.add_argument(
        '--sync_bn',
        choices=['none', 'torch', 'mmcv'],
        default='none',
        help='synchronised batch norm over all GPUs; take it below 8 samples a GPU',
    )
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate by the batch size'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint; without a value, from the newest in the work dir',
    )
    cli.add_runner_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cli.set_local_rank(args)
    cfg = config_tools.load_config(
        args.config, ROOT, args.work_dir, args.cfg_options, args.launcher
    )
    if args.amp:
        config_tools.enable_amp(cfg)
    if args.auto_scale_lr:
        config_tools.enable_lr_scaling(cfg)
    if args.sync_bn != 'none':
        cfg.sync_bn = args.sync_bn
    if args.resume:
        config_tools.set_resume(cfg, args.resume)
    config_tools.require_channel_order(cfg)
    check_datasets(cfg, ('train_dataloader', 'val_dataloader', 'val_evaluator'))
    config_tools.build_runner(cfg).train()


if __name__ == '__main__':
    cli.run(main)
