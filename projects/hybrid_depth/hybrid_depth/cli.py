"""What the command lines in `tools/` share."""

import argparse
import os
import sys
from collections.abc import Callable

from mmengine.config import DictAction

from .checkpoints import DamagedCheckpointError, UnsafeCheckpointError
from .checkpoints.conversion import ReleaseError
from .checkpoints.strict_load import CheckpointMismatchError
from .datasets.check import ClassOrderError
from .datasets.depth_errors import DepthDataError
from .datasets.nuscenes_infos import InfoError
from .engine.config import ConfigError

# Errors whose text says what to do; a traceback would only hide it.
_USER_ERRORS = (
    ClassOrderError,
    FileNotFoundError,
    FloatingPointError,
    CheckpointMismatchError,
    ConfigError,
    DamagedCheckpointError,
    DepthDataError,
    InfoError,
    ReleaseError,
    UnsafeCheckpointError,
)


def make_parser(description: str) -> argparse.ArgumentParser:
    """A parser that prints the description (a tool's docstring with its example) as it is."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the tools that build an mmengine Runner; the names are mmdet3d's."""
    parser.add_argument('--work-dir', help='logs and results (default: work_dirs/CONFIG)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override config values: train_cfg.max_epochs=2 "a.b=[1,2]"',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def set_local_rank(args: argparse.Namespace) -> None:
    """Pass the rank on to mmengine, unless the launcher has set it."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


def run(main: Callable[[], None]) -> None:
    """Run a tool; errors meant for the user end it with their text and exit code 1."""
    try:
        main()
    except _USER_ERRORS as error:
        sys.exit(f'error: {error}')
