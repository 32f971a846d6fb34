"""View data and predictions in a browser: cameras, boxes, depth, LiDAR, BEV and 3-D scene.

Examples:
  hybrid-depth view data/toy/nuscenes_infos_val.pkl  # data
  hybrid-depth view a/results_nusc.json b/results_nusc.json --infos INFOS  # two runs
  hybrid-depth view CONFIG CHECKPOINT  # a model that predicts while you look
  hybrid-depth view data/toy/nuscenes_infos_val.pkl --save toy.rrd  # a file, shown by:
  hybrid-depth view toy.rrd
Green boxes are true positives, red ones false positives, orange ones missed (of the ground truth,
white). In the panel at the left, classes, outcomes and ranges of scores are switched on and off.
Needs Rerun: pip install 'hybrid-depth[viewer]'. Only this machine can open the page; nothing is
sent elsewhere.
"""

import argparse
from pathlib import Path

from .number_types import at_least, finite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'sources',
        nargs='+',
        help='an info file; up to two runs: results files, or configs each with its checkpoint; or '
        'an .rrd file',
    )
    parser.add_argument('--infos', help="info file of runs (default: the config's test set)")
    parser.add_argument('--root', help="data set (default: the info file's folder)")
    parser.add_argument('--classes', nargs='+', help='only these classes')
    parser.add_argument(
        '--score-thr',
        type=finite,
        default=0.1,
        help='smallest score of predicted boxes, which decides what counts as missed '
        '(default: %(default)s)',
    )
    parser.add_argument('--limit', type=at_least(1), help='only the first key frames')
    parser.add_argument('--device', default='cpu', help='of models: cpu (default), cuda, ...')
    parser.add_argument('--save', help='write an .rrd file, and open no browser')
    parser.add_argument('--no-browser', action='store_true', help='print the address only')


def run(args: argparse.Namespace) -> None:
    from ..optional import require_package

    require_package('rerun', "pip install 'hybrid-depth[viewer]'")

    from ..viewer.session import Options, parse_sources, show, show_file

    if args.sources[0].endswith('.rrd'):
        show_file(Path(args.sources[0]), not args.no_browser)
        return
    infos, runs = parse_sources(args.sources, args.infos)
    options = Options(
        infos=infos,
        root=Path(args.root) if args.root else infos.parent,
        runs=runs,
        classes=args.classes,
        score_thr=args.score_thr,
        limit=args.limit,
        device=args.device,
    )
    show(options, Path(args.save) if args.save else None, not args.no_browser)
