"""Evaluate predicted boxes of any origin in nuScenes' results format against an info file.

Example: hybrid-depth evaluate-boxes results_nusc.json \\
             --infos data/toy/nuscenes_infos_val.pkl --json work_dirs/toy/boxes.json
The numbers are those of the nuScenes devkit; its tables are not read.
"""

import argparse
import json

from .number_types import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('results', help='results file, as hybrid-depth test writes it')
    parser.add_argument('--infos', required=True, help='info file of the split')
    parser.add_argument(
        '--split',
        help="a split of nuScenes or of the root's splits.json (default: validation); scenes "
        'separated by commas for these',
    )
    parser.add_argument(
        '--resamples',
        type=at_least(0),
        default=100,
        help='bootstrap samples of the intervals (default: %(default)s; 0 for none)',
    )
    parser.add_argument('--json', help='output file of the result')


def run(args: argparse.Namespace) -> None:
    from ..bev.evaluation.detection_report import report_table
    from ..bev.evaluation.evaluate_detections import evaluate_results_file
    from ..files import atomic_file

    split = args.split.split(',') if args.split and ',' in args.split else args.split
    report = evaluate_results_file(args.results, args.infos, split, resamples=args.resamples)
    print(report_table(report))
    if args.json:
        with atomic_file(args.json, 'w') as file:
            json.dump(report, file, indent=2, allow_nan=False)
