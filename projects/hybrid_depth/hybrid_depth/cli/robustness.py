"""Evaluate a checkpoint under image corruptions, calibration errors and on other rigs.

Example: hybrid-depth robustness configs/toy/bevdet_hybrid_toy.py \\
             work_dirs/bevdet_hybrid_toy/epoch_25.pth \\
             --out work_dirs/robustness/hybrid --beside work_dirs/robustness/plain
Writes OUT/report.json, table.md, table.csv and plot.png: mAP, NDS and depth under RoboBEV's eight
corruptions in three strengths with their mean resilience, and beside them noise and extrinsics that
are off. Interrupted, the same command goes on: finished rows are kept while config, weights and
data are the same.
"""

import argparse
from pathlib import Path

from ..config_files import find_config
from .number_types import at_least, positive
from .runner_arguments import add_config_options

CORRUPTIONS = (
    'camera_crash', 'frame_lost', 'color_quantization', 'motion_blur', 'bright', 'low_light', 'fog',
    'snow', 'noise',
)  # fmt: skip
ANGLES = (0.5, 1.0, 2.0, 4.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='output folder (default: work_dirs/robustness/CONFIG)')
    parser.add_argument(
        '--corruptions',
        nargs='*',
        choices=CORRUPTIONS,
        default=CORRUPTIONS,
        metavar='NAME',
        help=f'some of {", ".join(CORRUPTIONS)} (default: all)',
    )
    parser.add_argument(
        '--strengths',
        type=at_least(1),
        nargs='+',
        choices=(1, 2, 3),
        default=(1, 2, 3),
        help='default: all',
    )
    parser.add_argument(
        '--angles',
        type=positive,
        nargs='*',
        default=ANGLES,
        metavar='DEGREES',
        help=f'errors of the extrinsics (default: {" ".join(map(str, ANGLES))})',
    )
    parser.add_argument(
        '--other-data',
        nargs='+',
        default=(),
        metavar='ROOT',
        help="other roots to test on, with the same files as the config's, such as a toy world of "
        'another rig',
    )
    parser.add_argument(
        '--seed', type=at_least(0), default=0, help='seed of the corruptions (default: 0)'
    )
    parser.add_argument(
        '--beside',
        nargs='+',
        default=(),
        metavar='FOLDER',
        help='folders of other reports to put into the same tables and plot',
    )
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from tqdm import tqdm

    from ..engine.config import load_config, require_checkpoint
    from ..errors import ConfigError
    from ..files import atomic_file
    from ..robustness.conditions import conditions_for
    from ..robustness.plot import draw_reports
    from ..robustness.report import read_report, run_conditions, summarise, write_report
    from ..robustness.tables import csv_table, markdown_table

    out = Path(args.out or Path('work_dirs', 'robustness', Path(config).stem))
    names = [out.name, *(Path(folder).name for folder in args.beside)]
    if len(set(names)) < len(names):
        raise ConfigError(f'expected folders of reports of different names, got {names}')
    others = {Path(folder).name: read_report(folder) for folder in args.beside}
    require_checkpoint(args.checkpoint)
    cfg = load_config(config, str(out), args.cfg_options, 'none')
    conditions = conditions_for(cfg, args.corruptions, args.strengths, args.angles, args.other_data)
    results = []
    bar = tqdm(conditions, desc='robustness', unit='test')
    for condition, metrics in run_conditions(cfg, args.checkpoint, out, bar, args.seed):
        results.append((condition, metrics))
    facts = dict(config=str(args.config), checkpoint=str(args.checkpoint), seed=args.seed)
    report = summarise(results, facts)
    write_report(report, out)
    reports = {out.name: report, **others}
    table = markdown_table(reports)
    for name, text in (('table.md', table), ('table.csv', csv_table(reports))):
        with atomic_file(out / name, 'w') as file:
            file.write(text)
    draw_reports(reports, out / 'plot.png')
    print(table)
    print(f'report, tables and plot are in {out}')
