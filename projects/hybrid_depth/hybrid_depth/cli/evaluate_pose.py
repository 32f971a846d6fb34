"""Evaluate predicted camera motion on a sequence with ground-truth poses.

Example: hybrid-depth evaluate-pose --pred motions_09.npy --gt data/kitti_odometry/poses/09.txt
Predictions: .npy with (N - 1, 4, 4) motions of N frames, frame i's points to frame i + 1 (output of
a pose net for the pair i, i + 1), or a text file of poses in the format of the ground truth. Prints
the 5-frame error of Zhou et al. as in Monodepth2; --trajectory adds errors of the whole trajectory.
"""

import argparse

from ..depth.evaluation.pose_metrics import score_poses
from ..depth.evaluation.report import write_result
from .number_types import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--pred', required=True, help='predicted motions or poses')
    parser.add_argument('--gt', required=True, help='poses of KITTI odometry, 12 numbers per line')
    parser.add_argument(
        '--frames', type=whole, default=5, help='frames per snippet (default: %(default)s)'
    )
    parser.add_argument('--trajectory', action='store_true', help='needs evo (pip install evo)')
    parser.add_argument('--json', help='output file of the result')


def run(args: argparse.Namespace) -> None:
    result = score_poses(args.pred, args.gt, args.frames, args.trajectory)
    print(f'{args.frames}-frame error {result["ate_mean"]:.4f} ± {result["ate_std"]:.4f} m')
    for name, value in result.get('trajectory', {}).items():
        print(f'{name} {value:.4f}')
    if args.json:
        write_result(result, args.json)
