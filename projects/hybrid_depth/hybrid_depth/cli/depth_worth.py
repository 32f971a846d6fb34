"""What a detector's boxes owe to its depth: tests with true depth per range and class.

Example: hybrid-depth depth-worth configs/toy/bevdet_hybrid_toy.py work_dirs/toy/epoch_25.pth \\
             --depth data/toy/depth
The depth distribution of feature cells is swapped for that of the true depth: everywhere, in one
metre range or class alone, and everywhere else. Writes OUT/report.json, table.md, table.csv and
plot.png: points of mAP and NDS, with bootstrap intervals of the differences. Interrupted, the same
command goes on: finished tests are kept while config, weights and data are the same.
"""

import argparse
import json
from pathlib import Path

from ..config_files import find_config
from .number_types import not_negative
from .runner_arguments import add_config_options

EDGES = (0.0, 10.0, 20.0, 30.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file of a detector, or the name of a shipped one')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--depth',
        required=True,
        metavar='FOLDER',
        help='true depth: 16-bit PNGs (metres times 256, 0 = none) that mirror the images of the '
        'test set; toy worlds have a folder depth/',
    )
    parser.add_argument('--out', help='output folder (default: work_dirs/depth_worth/CONFIG)')
    parser.add_argument(
        '--edges',
        type=not_negative,
        nargs='+',
        default=EDGES,
        metavar='METRES',
        help=f'where ranges begin (default: {" ".join(f"{edge:g}" for edge in EDGES)})',
    )
    parser.add_argument(
        '--classes',
        nargs='*',
        metavar='NAME',
        help='default: all with boxes in the test set',
    )
    parser.add_argument(
        '--sigma',
        type=not_negative,
        metavar='BINS',
        help="width of the true depth's distribution, 0 for one bin (default: that of the "
        "config's depth supervision)",
    )
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from tqdm import tqdm

    from ..depth_worth.plot import draw_report
    from ..depth_worth.report import run_swaps, summarise
    from ..depth_worth.tables import csv_table, markdown_table
    from ..engine.config import load_config, require_checkpoint
    from ..files import atomic_file

    out = Path(args.out or Path('work_dirs', 'depth_worth', Path(config).stem))
    require_checkpoint(args.checkpoint)
    cfg = load_config(config, str(out), args.cfg_options, 'none')
    tests = run_swaps(cfg, args.checkpoint, out, args.depth, args.edges, args.classes, args.sigma)
    results = list(tqdm(tests, desc='depth-worth', unit='test'))
    facts = dict(config=str(args.config), checkpoint=str(args.checkpoint), depth=args.depth)
    report = summarise(results, facts)
    table = markdown_table(report)
    texts = {
        'report.json': json.dumps(report, indent=1),
        'table.md': table,
        'table.csv': csv_table(report),
    }
    for name, text in texts.items():
        with atomic_file(out / name, 'w') as file:
            file.write(text)
    draw_report(report, out / 'plot.png')
    print(table)
    print(f'report, tables and plot are in {out}')
