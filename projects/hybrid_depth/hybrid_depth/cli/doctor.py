"""Check a config, its data and weights for other conventions, before training or testing.

Examples:
  hybrid-depth doctor configs/toy/bevdet_hybrid_toy.py
  hybrid-depth doctor configs/bevdet_hybrid.py work_dirs/bevdet_hybrid/epoch_20.pth --out doctor
Prints one line per check (ok, fault or skipped) and writes one image per camera with boxes, LiDAR
points and the horizon drawn in. The exit code is 1 if there is a fault. See docs/doctor.md.
"""

import argparse
import sys

from ..config_files import find_config
from .runner_arguments import add_config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file to check too')
    parser.add_argument('--out', help='folder of images (default: work_dirs/CONFIG/doctor)')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    import logging

    from ..checkpoints import load_checkpoint_file
    from ..doctor.case import Case
    from ..doctor.drawing import write_images
    from ..doctor.examination import diagnose
    from ..engine.config import load_config
    from ..findings import NotCheckedError

    cfg = load_config(config, None, args.cfg_options, 'none')
    checkpoint = load_checkpoint_file(args.checkpoint) if args.checkpoint else None
    case = Case(cfg, checkpoint, args.checkpoint or '')
    logging.disable(logging.WARNING)  # data sets log tables of their classes
    faults = 0
    for finding in diagnose(case):
        faults += finding.state == 'fault'
        print(finding, flush=True)
    try:
        folder = args.out or f'{cfg.work_dir}/doctor'
        print(f'wrote {len(write_images(case, folder))} images to {folder}')
    except NotCheckedError:
        print('no images: the config has no keyframes that can be read')
    if faults:
        sys.exit(f'{faults} fault{"s" * (faults > 1)} found')
