"""Import an own vehicle from image folders and a calibration, and check what was imported.

Examples:
  hybrid-depth rig import data/my_car/rig.yaml
  hybrid-depth rig check data/my_car/rig_infos_train.pkl --out check
`import` writes rig_infos_train.pkl and rig_infos_val.pkl beside the description, undistorted images
and LiDAR sweeps of the key frames where there are any. `check` prints one line per check (ok, fault
or skipped) and writes one image per camera; its exit code is 1 if there is a fault. The description
is explained in docs/own_vehicle.md.
"""

import argparse
import sys

from .number_types import at_least


def import_description(args: argparse.Namespace) -> None:
    from ..rigs.importer import import_rig

    for summary in import_rig(args.description, args.out):
        print(summary)


def check(args: argparse.Namespace) -> None:
    from ..rigs.check import check_infos
    from ..rigs.drawing import write_drawings

    faults = 0
    for finding in check_infos(args.infos, args.root):
        faults += finding.state == 'fault'
        print(finding, flush=True)
    paths = write_drawings(args.infos, args.out, args.root, args.index)
    print(f'wrote {len(paths)} images to {args.out}')
    if faults:
        sys.exit(f'{faults} fault{"s" * (faults > 1)} found')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    command = commands.add_parser('import', help='write the info files of a description')
    command.add_argument('description', help='YAML file')
    command.add_argument('--out', help="output folder (default: the description's)")
    command.set_defaults(command=import_description)

    command = commands.add_parser('check', help='check and draw an info file')
    command.add_argument('infos', help='info file')
    command.add_argument('--out', default='work_dirs/rig_check', help='folder of the images')
    command.add_argument('--root', help="data folder (default: the info file's)")
    command.add_argument(
        '--index', type=at_least(0), default=0, help='sample drawn (default: %(default)s)'
    )
    command.set_defaults(command=check)


def run(args: argparse.Namespace) -> None:
    args.command(args)
