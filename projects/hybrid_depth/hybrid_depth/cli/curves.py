"""Plot what trainings logged: losses, learning rates, metrics of validations.

Example: hybrid-depth curves work_dirs/a work_dirs/b --keys 'loss*' '*mAP' --out curves.png
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('runs', nargs='+', help='work directories of trainings')
    parser.add_argument(
        '--keys',
        nargs='+',
        default=['*loss*'],
        help='names of scalars, with wildcards (default: *loss*); --keys list names them all',
    )
    parser.add_argument('--out', default='curves.png', help='image (default: %(default)s)')


def run(args: argparse.Namespace) -> None:
    from ..engine.run_records import chosen, read_curves, run_names
    from ..visualization.curves import plot_curves

    curves = dict(zip(run_names(args.runs), map(read_curves, args.runs), strict=True))
    names = sorted({name for run in curves.values() for name in run})
    if args.keys == ['list']:
        print('\n'.join(names))
        return
    keys = chosen(names, args.keys)
    plot_curves(curves, keys, args.out)
    print(f'wrote {len(keys)} plots of {len(curves)} runs to {args.out}')
