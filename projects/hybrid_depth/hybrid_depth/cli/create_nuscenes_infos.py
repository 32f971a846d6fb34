"""Make the info files of nuScenes configs, and check that all files named in them exist.

Example: hybrid-depth create-nuscenes-infos --root data/nuscenes --version v1.0-trainval
Writes nuscenes_infos_train.pkl and nuscenes_infos_val.pkl (nuscenes_infos_test.pkl for v1.0-test).
"""

import argparse

from ..datasets.nuscenes.names import SPLITS
from .number_types import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--root', required=True, help='nuScenes folder, with samples/ and VERSION/')
    parser.add_argument('--version', required=True, choices=list(SPLITS))
    parser.add_argument('--out', help='folder for the info files (default: the root)')
    parser.add_argument(
        '--workers', type=at_least(1), default=1, help='number of processes (default: %(default)s)'
    )
    parser.add_argument(
        '--max-scenes', type=at_least(1), help='only the first scenes of each split'
    )
    parser.add_argument(
        '--lidar-sweeps',
        type=at_least(0),
        default=0,
        help='listed sweeps before each key frame, for LoadLidarDepth(sweeps=...) (default: 0)',
    )


def run(args: argparse.Namespace) -> None:
    from ..datasets.nuscenes.infos import create_nuscenes_infos

    summaries = create_nuscenes_infos(
        args.root, args.version, args.out, args.workers, args.max_scenes, args.lidar_sweeps
    )
    for summary in summaries:
        print(summary)
        if summary.samples == 0:
            print(f'  {args.root} has no scene of this split')
