"""Calibrate the depth of a model to metres for the cameras of a vehicle, without LiDAR.

Examples:
  hybrid-depth calibrate CONFIG epoch_20.pth --root data/kitti --out metric.pth
  hybrid-depth calibrate CONFIG epoch_20.pth --root video --height 1.4 \\
      --intrinsics 721.5 721.5 609.6 172.9 --labels labels --out metric.pth
  hybrid-depth calibrate CONFIG --root data/rig --infos data/rig/infos_train.pkl --by motion \\
      --form affine --out teacher_metric.pth
  hybrid-depth calibrate CONFIG epoch_20.pth --root video --by distances \\
      --distances points.csv --out metric.pth
The folder is a KITTI raw tree, the root of an info file (--infos), or any folder of images. --by
ground: height of the camera above the road (default); motion: corners triangulated between frames
with poses; distances: a CSV file with the columns image,u,v,metres (pixel, metres along the
camera's axis). Writes a checkpoint whose depth is metric for cameras of this focal length in
infer-depth, make-pseudo-depth and the API. A model by name (TransformersDepth) has no checkpoint.
"""

import argparse
from pathlib import Path

from ..config_files import find_config
from .infer_depth import SMALLEST_INPUT
from .make_embodied_depth import add_camera_arguments, find_clips, label_source
from .number_types import at_least

WAYS = ('ground', 'motion', 'distances')
FORMS = ('scale', 'log-affine', 'affine')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config of the depth model')
    parser.add_argument('checkpoint', nargs='?', help='its weights')
    parser.add_argument('--root', required=True, help='folder of the images')
    parser.add_argument('--out', required=True, help='calibrated checkpoint to write')
    parser.add_argument('--by', choices=WAYS, default='ground', help='what is known (see above)')
    parser.add_argument('--distances', metavar='CSV', help='points for --by distances')
    parser.add_argument(
        '--form',
        choices=FORMS,
        default='scale',
        help='one factor (default); log-affine, a factor and a power; affine, factor and offset of '
        'the disparity (Depth Anything, MiDaS)',
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--labels', help='folder of semantic label images, for road and traffic')
    source.add_argument(
        '--segmenter', metavar='NAME', help='segmentation model of transformers: folder or name'
    )
    parser.add_argument('--ids', default='train', help='as of make-embodied-depth')
    add_camera_arguments(parser)
    parser.add_argument(
        '--every', type=at_least(1), default=1, metavar='N', help='use every n-th image'
    )
    parser.add_argument(
        '--size',
        type=at_least(SMALLEST_INPUT),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='size of the network input (default: training size)',
    )
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda, cuda:1, ...')


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from ..depth.estimators.init import init_depth_model
    from ..errors import ConfigError
    from ..inference.calibrate import calibrate, write_calibrated
    from ..inference.known_distances import GroundHeight, MeasuredPoints, VehicleMotion

    if (args.by == 'distances') != (args.distances is not None):
        raise ConfigError(
            f'expected --distances CSV with --by distances only, got --by {args.by} and '
            f'{args.distances}'
        )
    if not Path(args.root).is_dir():
        raise FileNotFoundError(
            f'expected a folder of images, got {args.root}, which does not exist'
        )
    clips = find_clips(args, needs_plane=args.by == 'ground')
    labels = label_source(args, Path(args.root)) if args.labels or args.segmenter else None
    model = init_depth_model(config, args.checkpoint, args.device)
    if args.checkpoint is None and not model.weights_by_name:
        raise ConfigError(
            'expected the checkpoint of a trained model, got none: depth of random weights has no '
            'scale'
        )
    measure = dict(ground=GroundHeight, motion=VehicleMotion).get(args.by)
    measure = measure() if measure else MeasuredPoints(args.distances)
    size = tuple(args.size) if args.size else None
    found = calibrate(model, clips, measure, args.form, labels, size, args.every)
    write_calibrated(model, args.checkpoint, found, args.out)
    for calibration in found:
        print(calibration)
    for name in getattr(measure, 'unused', ()):
        print(f'{args.distances}: no image {name} in {args.root}; its points were not used')
    print(f'wrote {args.out}')
