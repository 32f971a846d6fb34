"""Write metric depth from calibration and class labels, without a depth network.

Examples:
  hybrid-depth make-embodied-depth data/toy_kitti out/embodied --labels data/toy_kitti/semantic \\
      --instances data/toy_kitti/instance --kerb-height 0 --report
  hybrid-depth make-embodied-depth data/kitti out/embodied --labels labels --fit motion --report
  hybrid-depth make-embodied-depth photos out/embodied --segmenter FOLDER_OR_NAME \\
      --height 1.4 --intrinsics 721.5 721.5 609.6 172.9 --fit vanishing-point
  torchrun --nproc-per-node 8 -m hybrid_depth make-embodied-depth ...
The folder is a KITTI raw tree, a nuScenes root (with --infos), or any folder of images. Writes
OUT/depth/<image>.png (16 bit, metres times 256, 0 = invalid), OUT/provenance/<image>.png (1 road,
2 ground, 3 vertical, 4 filled, 5 sky) and OUT/planes.json (ground plane of each image and its
uncertainty; with --fit from earlier and later images too). Resumable. --report prints the share of
pixels within 5 % and 10 % of LiDAR or annotated depth. Label images mirror the image tree.
"""

import argparse
import os
from pathlib import Path

from .number_types import at_least, finite, positive

FITS = ('lidar', 'depth', 'motion', 'vanishing-point')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', help='folder of the images')
    parser.add_argument('out', help='output folder')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--labels', help='folder of semantic label images')
    source.add_argument(
        '--segmenter', metavar='NAME', help='segmentation model of transformers: folder or name'
    )
    parser.add_argument(
        '--ids',
        default='train',
        help='values of the label images: Cityscapes train ids (train, default), its ids '
        '(cityscapes), or a JSON file {"value": train id}',
    )
    parser.add_argument('--instances', help='folder of instance images (default: components)')
    add_camera_arguments(parser)
    parser.add_argument(
        '--fit', nargs='+', choices=FITS, default=[],
        help='fit the plane, motion before others (default: calibration)',
    )  # fmt: skip
    parser.add_argument(
        '--gaps', type=at_least(1), nargs='+', default=[3, 6, 9, 12], metavar='FRAMES',
        help='distances to the images for the fit motion (default 3 6 9 12, for 10 Hz)',
    )  # fmt: skip
    parser.add_argument(
        '--depth', help='folder of metric depth PNGs of a network, for the fit depth'
    )
    parser.add_argument('--kerb-height', type=finite, default=0.12, help='metres (default 0.12)')
    parser.add_argument('--terrain-height', type=finite, default=0.0, help='metres (default 0)')
    parser.add_argument('--max-depth', type=positive, default=80.0, help='metres (default 80)')
    parser.add_argument('--no-fill', action='store_true', help='leave holes invalid')
    parser.add_argument('--device', default='cpu', help='of the segmenter: cpu (default) or cuda')
    parser.add_argument('--report', action='store_true', help='print the accuracy')
    parser.add_argument('--truth', help='depth PNGs for --report (default: annotated, or LiDAR)')


def add_camera_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that describe the cameras behind the images of a folder, see `find_clips`."""
    parser.add_argument('--infos', help='info file of a nuScenes root (create-nuscenes-infos)')
    parser.add_argument(
        '--intrinsics', type=finite, nargs=4, metavar=('FX', 'FY', 'CX', 'CY'),
        help='of a folder of images, pixels (default: its intrinsics.txt)',
    )  # fmt: skip
    parser.add_argument(
        '--height', type=float, help='of the camera above the road, metres (KITTI: 1.65)'
    )
    parser.add_argument('--pitch', type=finite, default=0.0, help='degrees, positive looks down')
    parser.add_argument(
        '--roll', type=finite, default=0.0, help='degrees, positive if the right side is lower'
    )


def run(args: argparse.Namespace) -> None:
    if not Path(args.root).is_dir():
        raise FileNotFoundError(
            f'expected a folder of images, got {args.root}, which does not exist'
        )
    from tqdm import tqdm

    from ..geometry import EmbodiedDepth
    from ..inference.embodied_writer import PLANES, EmbodiedWriter
    from ..inference.plane_fitting import PlaneFitting

    root, out = Path(args.root), Path(args.out)
    clips = find_clips(args)
    model = EmbodiedDepth(
        args.max_depth, args.kerb_height, args.terrain_height, fill=not args.no_fill
    )
    depth = Path(args.depth) if args.depth else None
    fitting = PlaneFitting(args.fit, root, depth, args.gaps)
    instances = Path(args.instances) if args.instances else None
    writer = EmbodiedWriter(out, root, model, label_source(args, root), instances, fitting)
    rank, world = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    own = writer.shard(clips, rank, world)
    no_setting = ('root', 'out', 'report', 'truth', 'device')
    facts = {name: value for name, value in vars(args).items() if name not in no_setting}
    total = sum(map(len, own))
    steps = writer.write(own, facts, rank)
    measured = sum(tqdm(steps, total=2 * total, desc='fits and depth'))
    print(f'embodied depth of {total} images in {out}; planes in {out / PLANES}')
    if args.fit:
        print(f'{measured} of {total} planes were measured, the others are expected ones')
    if args.report and rank == 0:
        truth = Path(args.truth) if args.truth else None
        print(*list(writer.accuracy(clips, truth))[-1:])


def find_clips(args: argparse.Namespace, needs_plane: bool = True) -> list:
    """Clips of the data set that the arguments describe.

    Args:
        needs_plane: a folder without --height is an error, else its ground is unknown.
    """
    import math
    import re

    from ..datasets.calibrated_frames import KITTI_HEIGHT, folder_clips, info_clips, kitti_clips
    from ..errors import ConfigError
    from ..geometry import GroundPlane

    if args.infos:
        if args.height is not None or args.pitch or args.roll or args.intrinsics:
            raise ConfigError(
                'expected --infos without --height, --pitch, --roll, --intrinsics, which it has'
            )
        return list(info_clips(args.infos, args.root).values())
    root = Path(args.root)
    days = root.is_dir() and any(
        re.fullmatch(r'[0-9]{4}_[0-9]{2}_[0-9]{2}', x.name) for x in root.iterdir()
    )
    height = KITTI_HEIGHT if days and args.height is None else args.height
    if height is None and needs_plane:
        raise ConfigError('expected --height METRES, of the camera above the road')
    try:
        angles = math.radians(args.pitch), math.radians(args.roll)
        plane = (
            GroundPlane.unknown() if height is None else GroundPlane.from_angles(height, *angles)
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return kitti_clips(root, plane) if days else folder_clips(root, plane, args.intrinsics)


def label_source(args: argparse.Namespace, root: Path):
    """Train ids of an image and its size."""
    if args.labels:
        from ..datasets.semantic_labels import SemanticLabels

        return SemanticLabels(args.labels, root, args.ids)
    from ..datasets.image_files import open_image
    from ..foundation.segmenter import Segmenter

    segmenter = Segmenter(args.segmenter, args.device)
    return lambda image, size: segmenter(open_image(image))
