"""Check a KITTI download, export ground truth, convert images, make split lists.

Examples: hybrid-depth prepare-kitti check data/kitti --split eigen
          hybrid-depth prepare-kitti export-gt data/kitti data/kitti/gt/eigen --split eigen
          hybrid-depth prepare-kitti export-gt data/kitti data/kitti/gt/eigen_benchmark \\
              --split eigen --source improved --depth-root data/kitti_depth
          hybrid-depth prepare-kitti make-split data/kitti data/kitti/splits/local
          hybrid-depth prepare-kitti to-jpeg data/kitti
All commands work on, and report, partial downloads. `check` also supports KITTI odometry and
folders of frames. The 697 Eigen test frames are built in (`--split eigen`); eigen_benchmark are
those with improved ground truth; `--split all` is every image on disk. The official training lists
are files (`--split splits/eigen_zhou/train_files.txt`).
"""

import argparse
from pathlib import Path

from ..datasets.kitti import export as kitti_export
from ..datasets.kitti.jpeg import convert_to_jpeg
from ..datasets.kitti.splits import read_split, write_split
from ..datasets.kitti.splits.make_split import make_split
from ..datasets.kitti.tree import KittiRawTree
from ..doctor import video as kitti_check
from .number_types import at_least, fraction, not_negative


def check(args: argparse.Namespace) -> None:
    reports = [report for report in kitti_check.check_root(args.root, args.read_all)]
    for report in reports:
        print(kitti_check.clip_text(report))
    print(f'{len(reports)} cameras, {sum(report.images for report in reports)} images')
    if args.split:
        frames = read_split(args.split, args.root)
        report = kitti_check.check_split(frames, KittiRawTree(args.root))
        print(kitti_check.split_text(report, args.split))


def export_gt(args: argparse.Namespace) -> None:
    frames = read_split(args.split, args.root)
    if args.source == 'velodyne':
        truth = kitti_export.velodyne_truth(KittiRawTree(args.root))
    else:
        truth = kitti_export.improved_truth(args.depth_root or args.root)
    report = kitti_export.export_ground_truth(frames, truth, args.out, args.source, args.split)
    print(f'{args.out}: {report.written} maps written, {report.kept} existed')
    if report.changed:
        print(f'changed since the last export, written again: {", ".join(report.changed)}')
    if report.missing:
        print(
            f'PARTIAL: {len(report.missing)} of {len(frames)} frames have no {args.source} '
            f'measurement on disk, first {report.missing[0]}'
        )


def to_jpeg(args: argparse.Namespace) -> None:
    written, kept = convert_to_jpeg(args.root, args.remove_png, args.workers)
    print(f'{args.root}: {written} images written, {kept} existed')


def make_split_lists(args: argparse.Namespace) -> None:
    frames = read_split(args.of, args.root) if args.of else None
    made = make_split(KittiRawTree(args.root), frames, args.sides, args.min_motion, args.val_share)
    write_split(made.train, Path(args.out, 'train_files.txt'))
    if made.val:
        write_split(made.val, Path(args.out, 'val_files.txt'))
    print(f'{args.out}: {len(made.train)} training, {len(made.val)} validation frames')
    print(', '.join(f'{count} {reason}' for reason, count in made.left_out.items()) + ': omitted')
    print('These are not the official lists, which published results use.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    command = commands.add_parser('check', help='report existing and missing files')
    command.add_argument('root', help='folder of the days (or `sequences`, or video frames)')
    command.add_argument('--split', help='split list to compare with')
    command.add_argument('--read-all', action='store_true', help='read every image')
    command.set_defaults(command=check)

    command = commands.add_parser('export-gt', help='export ground truth, one file per frame')
    command.add_argument('root', help='folder of the days')
    command.add_argument('out', help='output folder of the maps')
    command.add_argument('--split', default='eigen', help='list of frames (default: %(default)s)')
    command.add_argument(
        '--source',
        choices=['velodyne', 'improved'],
        default='velodyne',
        help='raw sweeps (protocol kitti_eigen) or annotated PNGs (kitti_eigen_benchmark)',
    )
    command.add_argument('--depth-root', help='folder of the annotated train/ and val/')
    command.set_defaults(command=export_gt)

    command = commands.add_parser('to-jpeg', help='write a JPEG beside each PNG, as in releases')
    command.add_argument('root', help='folder of the days')
    command.add_argument('--remove-png', action='store_true', help='delete converted PNGs')
    command.add_argument(
        '--workers', type=at_least(1), default=1, help='number of processes (default: %(default)s)'
    )
    command.set_defaults(command=to_jpeg)

    command = commands.add_parser('make-split', help='make split lists of the frames on disk')
    command.add_argument('root', help='folder of the days')
    command.add_argument('out', help='output folder of train_files.txt and val_files.txt')
    command.add_argument('--of', metavar='LIST', help='only frames of this list')
    command.add_argument('--sides', choices=['l', 'r', 'lr'], default='lr', help='cameras')
    command.add_argument(
        '--min-motion', type=not_negative, default=0, help='smallest image motion, pixels per frame'
    )
    command.add_argument(
        '--val-share',
        type=fraction,
        default=0.1,
        help='fraction of validation frames (default: %(default)s)',
    )
    command.set_defaults(command=make_split_lists)


def run(args: argparse.Namespace) -> None:
    args.command(args)
