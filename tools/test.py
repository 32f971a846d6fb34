#!/usr/bin/env python
"""Score a checkpoint on the config's test set, and draw what it predicts.

Example: python tools/test.py configs/toy/bevdet_hybrid_toy.py work_dirs/toy/epoch_20.pth \\
             --show-dir work_dirs/toy/pictures
Checkpoints written with EMA hold the averaged weights, and those are scored.
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
    parser.add_argument('checkpoint', help='checkpoint file, or its web address')
    parser.add_argument('--show-dir', help='write pictures there (needs no screen)')
    parser.add_argument(
        '--show', action='store_true', help='show each picture in a window (needs a screen)'
    )
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds that --show shows a picture'
    )
    parser.add_argument(
        '--score-thr', type=float, default=0.1, help='draw boxes that score at least this'
    )
    parser.add_argument(
        '--task',
        choices=['multi-view_det'],
        default='multi-view_det',
        help="mmdet3d's flag; camera rigs are all there is here",
    )
    cli.add_runner_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cli.set_local_rank(args)
    cfg = config_tools.load_config(
        args.config, ROOT, args.work_dir, args.cfg_options, args.launcher
    )
    config_tools.require_checkpoint(args.checkpoint)
    cfg.load_from = args.checkpoint
    config_tools.require_fitting_checkpoint(cfg)
    config_tools.add_report(cfg)
    if args.show or args.show_dir:
        folder = args.show_dir or f'{cfg.work_dir}/pictures'
        config_tools.add_pictures(cfg, folder, args.score_thr, args.show, args.wait_time)
    check_datasets(cfg, ('test_dataloader', 'test_evaluator'))
    config_tools.build_runner(cfg).test()


if __name__ == '__main__':
    cli.run(main)
