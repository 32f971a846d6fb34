"""Evaluate a checkpoint on the config's test set, optionally with visualizations.

Example: hybrid-depth test configs/toy/bevdet_hybrid_toy.py \\
             work_dirs/bevdet_hybrid_toy/epoch_25.pth --show-dir work_dirs/toy/visualizations
Of checkpoints with EMA, the averaged weights are evaluated. An ONNX file of hybrid-depth export in
place of the checkpoint is evaluated with onnxruntime.
"""

import argparse
from pathlib import Path

from ..config_files import find_config
from .number_types import finite, not_negative, positive
from .runner_arguments import add_runner_arguments, set_local_rank


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help='checkpoint file or URL, or ONNX file; only a model without training (DepthCLIP) '
        'needs none',
    )
    parser.add_argument('--show-dir', help='output folder of visualizations (needs no screen)')
    parser.add_argument(
        '--show', action='store_true', help='show each visualization in a window (needs a screen)'
    )
    parser.add_argument(
        '--wait-time', type=not_negative, default=2, help='display time per visualization, seconds'
    )
    parser.add_argument(
        '--score-thr', type=finite, default=0.3, help='smallest score of the boxes drawn'
    )
    parser.add_argument(
        '--tta',
        nargs='*',
        type=positive,
        metavar='SCALE',
        help='mean of predictions from mirrored images too; with numbers, also from images of '
        'these scales (--tta 0.9 1 1.1)',
    )
    add_runner_arguments(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)
    set_local_rank(args)

    from ..config_errors import explained
    from ..doctor.datasets import check_datasets
    from ..doctor.evaluation_pipelines import check_test_transforms
    from ..engine import config as config_tools

    cfg = config_tools.load_config(config, args.work_dir, args.cfg_options, args.launcher)
    if args.checkpoint is None:
        config_tools.require_training_free(cfg)
    else:
        config_tools.require_checkpoint(args.checkpoint)
        if Path(args.checkpoint).suffix == '.onnx':
            from ..export.models import use_onnx_file

            use_onnx_file(cfg, args.checkpoint)
        else:
            cfg.load_from = args.checkpoint
            config_tools.require_fitting_checkpoint(cfg)
    if args.tta is not None:
        config_tools.enable_tta(cfg, args.tta)
    config_tools.add_report(cfg)
    if args.show or args.show_dir:
        folder = args.show_dir or f'{cfg.work_dir}/visualizations'
        config_tools.add_visualization(cfg, folder, args.score_thr, args.show, args.wait_time)
    check_datasets(cfg, ('test_dataloader', 'test_evaluator'))
    check_test_transforms(cfg, ('test_dataloader',))
    with explained(cfg):
        config_tools.build_runner(cfg).test()
