"""Shared arguments of the tools that build an mmengine Runner, with mmdet3d's names."""

import argparse
import os


class _Options(argparse.Action):
    """mmengine's `DictAction`, imported only if the option is used."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train` and `test`."""
    parser.add_argument('--work-dir', help='logs and results (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_Options,
        help='override config values: train_cfg.max_epochs=2 "a.b=[1,2]"',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def set_local_rank(args: argparse.Namespace) -> None:
    """Pass the rank on to mmengine, unless the launcher has set it."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
