"""Look at a KITTI download, export ground truth, convert images, make split lists.

Examples: hybrid-depth prepare-kitti check data/kitti --split eigen
          hybrid-depth prepare-kitti export-gt data/kitti data/kitti/gt/eigen --split eigen
          hybrid-depth prepare-kitti export-gt data/kitti data/kitti/gt/eigen_benchmark \\
              --split eigen --source improved --depth-root data/kitti_depth
          hybrid-depth prepare-kitti make-split data/kitti data/kitti/splits/own
          hybrid-depth prepare-kitti to-jpeg data/kitti
All of them work with a part of the download, and say that it is one. `check` also takes KITTI
odometry and any folder of frames. The 697 Eigen test frames are built in (`--split eigen`);
eigen_benchmark is those of them that have an improved map; `--split all` is every image on disk.
The official training lists are files (`--split splits/eigen_zhou/train_files.txt`).
"""

import argparse
from pathlib import Path

from ..datasets.kitti import export as kitti_export
from ..datasets.kitti.jpeg import convert_to_jpeg
from ..datasets.kitti.splits import read_split, write_split
from ..datasets.kitti.splits.make_split import make_split
from ..datasets.kitti.tree import KittiRawTree
from ..doctor import video as kitti_check


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
        read = kitti_export.velodyne_truth(KittiRawTree(args.root))
    else:
        read = kitti_export.improved_truth(args.depth_root or args.root)
    report = kitti_export.export_ground_truth(frames, read, args.out, args.source, args.split)
    print(f'{args.out}: {report.written} maps written, {report.kept} were there')
    if report.missing:
        print(
            f'PARTIAL: {len(report.missing)} of {len(frames)} frames have no {args.source} '
            f'measurement on disk, first {report.missing[0]}'
        )


def to_jpeg(args: argparse.Namespace) -> None:
    written, kept = convert_to_jpeg(args.root, args.remove_png, args.workers)
    print(f'{args.root}: {written} images written, {kept} were there')


def make_split_lists(args: argparse.Namespace) -> None:
    frames = read_split(args.of, args.root) if args.of else None
    made = make_split(KittiRawTree(args.root), frames, args.sides, args.min_motion, args.val_share)
    write_split(made.train, Path(args.out, 'train_files.txt'))
    if made.val:
        write_split(made.val, Path(args.out, 'val_files.txt'))
    print(f'{args.out}: {len(made.train)} training, {len(made.val)} validation frames')
    print(', '.join(f'{count} {reason}' for reason, count in made.left_out.items()) + ': left out')
    print('This is a list of your own: published results use the official ones.')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    command = commands.add_parser('check', help='what is there, what is missing')
    command.add_argument('root', help='folder of the days (or `sequences`, or own frames)')
    command.add_argument('--split', help='also compare with this list')
    command.add_argument('--read-all', action='store_true', help='read every image')
    command.set_defaults(command=check)

    command = commands.add_parser('export-gt', help='ground truth, one file a frame')
    command.add_argument('root', help='folder of the days')
    command.add_argument('out', help='folder for the maps')
    command.add_argument('--split', default='eigen', help='list of frames (default: %(default)s)')
    command.add_argument(
        '--source',
        choices=['velodyne', 'improved'],
        default='velodyne',
        help='raw sweeps (protocol kitti_eigen) or annotated PNGs (kitti_eigen_benchmark)',
    )
    command.add_argument('--depth-root', help='folder of the annotated train/ and val/')
    command.set_defaults(command=export_gt)

    command = commands.add_parser('to-jpeg', help='JPEG beside each PNG, as in the releases')
    command.add_argument('root', help='folder of the days')
    command.add_argument('--remove-png', action='store_true', help='delete converted PNGs')
    command.add_argument('--workers', type=int, default=1, help='processes (default: %(default)s)')
    command.set_defaults(command=to_jpeg)

    command = commands.add_parser('make-split', help='lists of the frames that are there')
    command.add_argument('root', help='folder of the days')
    command.add_argument('out', help='folder for train_files.txt and val_files.txt')
    command.add_argument('--of', metavar='LIST', help='only frames of this list')
    command.add_argument('--sides', choices=['l', 'r', 'lr'], default='lr', help='cameras')
    command.add_argument(
        '--min-motion', type=float, default=0, help='pixels a frame, below which it stands still'
    )
    command.add_argument('--val-share', type=float, default=0.1, help='default: %(default)s')
    command.set_defaults(command=make_split_lists)


def run(args: argparse.Namespace) -> None:
    args.command(args)
