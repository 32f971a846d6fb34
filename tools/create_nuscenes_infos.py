#!/usr/bin/env python
"""Make the info files that nuScenes configs read, and check that every file they name exists.

Example: python tools/create_nuscenes_infos.py --root data/nuscenes --version v1.0-trainval
Writes nuscenes_infos_train.pkl and nuscenes_infos_val.pkl (nuscenes_infos_test.pkl for v1.0-test).
"""

import argparse

from hybrid_depth import cli
from hybrid_depth.datasets.nuscenes_infos import SPLITS, create_nuscenes_infos


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('--root', required=True, help='nuScenes folder, with samples/ and VERSION/')
    parser.add_argument('--version', required=True, choices=list(SPLITS))
    parser.add_argument('--out', help='folder for the info files (default: the root)')
    parser.add_argument('--workers', type=int, default=1, help='processes (default: %(default)s)')
    parser.add_argument('--max-scenes', type=int, help='only the first scenes of each split')
    parser.add_argument(
        '--lidar-sweeps',
        type=int,
        default=0,
        help='sweeps before each key frame to name, for LoadLidarDepth(sweeps=...) (default: 0)',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    summaries = create_nuscenes_infos(
        args.root, args.version, args.out, args.workers, args.max_scenes, args.lidar_sweeps
    )
    for summary in summaries:
        print(summary)
        if summary.samples == 0:
            print(f'  {args.root} has no scene of this split')


if __name__ == '__main__':
    cli.run(main)
