"""Compare tests of models: a table of their metrics, and a plot.

Example: hybrid-depth compare work_dirs/a work_dirs/b --keys mAP NDS 'classes.*.AP' --plot ab.png
Runs are work directories of hybrid-depth test, or their metrics.json. With two runs, the last
column is the second minus the first.
"""

import argparse

FORMATS = ('markdown', 'csv', 'latex')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('runs', nargs='+', help='work directories, or metrics.json files')
    parser.add_argument(
        '--keys',
        nargs='+',
        help='names of numbers, with wildcards (default: those that are not nested)',
    )
    parser.add_argument('--format', choices=FORMATS, default='markdown')
    parser.add_argument('--out', help='file of the table (default: print)')
    parser.add_argument('--plot', help='image with a bar per run and number')


def run(args: argparse.Namespace) -> None:
    from ..engine.run_records import chosen, read_report, run_names
    from ..files import atomic_file
    from ..visualization.curves import plot_bars
    from ..visualization.tables import format_table

    reports = [read_report(path) for path in args.runs]
    names = list(dict.fromkeys(name for report in reports for name in report))
    keys = chosen(names, args.keys) if args.keys else [name for name in names if '.' not in name]
    header, rows = ['', *run_names(args.runs)], []
    for key in keys:
        row = [report.get(key) for report in reports]
        if len(row) == 2:
            row.append(None if None in row else row[1] - row[0])
        rows.append([key, *row])
    table = format_table([*header, *['difference'][: len(reports) == 2]], rows, args.format)
    if args.out:
        with atomic_file(args.out, 'w') as file:
            file.write(table + '\n')
    else:
        print(table)
    if args.plot:
        scores = [key for key in keys if not key.startswith('num_')]
        plot_bars(dict(zip(header[1:], reports, strict=True)), scores, args.plot)
