"""Evaluate predicted depth maps of any origin against ground truth, by a protocol.

Example: hybrid-depth evaluate-depth --pred disparities.npy --gt data/kitti/gt/eigen \\
             --protocol kitti_eigen --kind disparity --json work_dirs/eigen.json
Maps: a folder with one map per file (.npz, .npy, 16-bit .png), an array (N, H, W), or a list of
maps saved by numpy. Sizes may differ from the ground truth.
"""

import argparse

from ..depth.evaluation.protocols import KINDS, PROTOCOLS, load_protocol, with_scaling
from ..depth.evaluation.report import result_table, write_result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--pred', required=True, help='predicted maps')
    parser.add_argument('--gt', required=True, help='ground truth from prepare-kitti export-gt')
    parser.add_argument(
        '--protocol', required=True, help=f'a YAML file, or one of {", ".join(PROTOCOLS)}'
    )
    parser.add_argument(
        '--kind',
        required=True,
        choices=KINDS,
        help='kind of the predictions; depth: metric or relative',
    )
    parser.add_argument(
        '--scaling',
        choices=['median', 'set_median', 'none'],
        help="instead of the protocol's: one scale per image, one for the set, or none",
    )
    parser.add_argument(
        '--post-process-flip',
        metavar='MIRRORED',
        help='disparity predicted for the mirrored images, not mirrored back, to average with',
    )
    parser.add_argument(
        '--moving',
        metavar='MASKS',
        help='folder of masks (PNG: 255 moving, 0 static), for scores of moving and static pixels: '
        'NAME.png for the ground truth NAME, or, for KITTI raw, a mirror of its images',
    )
    parser.add_argument('--json', help='output file of the result')


def run(args: argparse.Namespace) -> None:
    protocol = load_protocol(args.protocol)
    protocol = with_scaling(protocol, args.scaling or protocol.scaling)

    from ..depth.evaluation.evaluate import evaluate_files

    result = evaluate_files(
        args.pred, args.gt, protocol, args.kind, args.post_process_flip, args.moving
    )
    print(result_table(result))
    if args.json:
        write_result(result, args.json)
