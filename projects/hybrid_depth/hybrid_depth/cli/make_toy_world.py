"""Generate a toy world: a ray-cast simulation as nuScenes root, KITTI raw tree, ...

Examples: hybrid-depth make-toy-world data/toy --scenes 10 --keyframes 10 --workers 2
          hybrid-depth make-toy-world data/toy_video --sweeps 5
          hybrid-depth make-toy-world data/toy_kitti --layout kitti
          hybrid-depth make-toy-world data/toy_high --camera-height 0.5 --camera-pitch 3
          hybrid-depth make-toy-world data/toy_lanes --layout tusimple --preview
          hybrid-depth make-toy-world data/toy_rig --layout rig
"""

import argparse
import re
import sys

from ..toy_world import LAYOUTS, make_toy_world
from ..toy_world.api import PREVIEW
from ..toy_world.rig_change import RigChange
from .number_types import at_least, finite, whole

SHOWN = '(default: %(default)s)'
DEFAULT_SIZES = {name: layout.default_size for name, layout in LAYOUTS.items()}


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from 'WIDTHxHEIGHT'."""
    match = re.fullmatch('([0-9]+)x([0-9]+)', text)
    if match is None:
        raise argparse.ArgumentTypeError(f'expected WxH, such as 400x225, got {text!r}')
    return int(match[1]), int(match[2])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'out', help='folder to make; an older toy world there is replaced, other files are kept'
    )
    parser.add_argument('--layout', choices=list(LAYOUTS), default='nuscenes', help=f'{SHOWN}')
    parser.add_argument('--scenes', type=whole, default=10, help=f'number of scenes {SHOWN}')
    parser.add_argument(
        '--keyframes',
        type=whole,
        default=10,
        help=f'keyframes per scene, at 2 Hz; KITTI has five frames per keyframe {SHOWN}',
    )
    sizes = ', '.join(f'{name} {w}x{h}' for name, (w, h) in DEFAULT_SIZES.items())
    parser.add_argument(
        '--size', type=parse_size, metavar='WxH', help=f'image size (default: {sizes})'
    )
    parser.add_argument('--seed', type=whole, default=0, help=f'random seed {SHOWN}')
    parser.add_argument(
        '--sweeps',
        type=whole,
        default=0,
        help=f'nuScenes: camera images between two keyframes {SHOWN}',
    )
    parser.add_argument(
        '--camera-height',
        type=finite,
        default=0.0,
        metavar='METRES',
        help='raise all cameras: the same scenes from another rig',
    )
    parser.add_argument(
        '--camera-pitch',
        type=finite,
        default=0.0,
        metavar='DEGREES',
        help='turn all cameras downward',
    )
    parser.add_argument(
        '--camera-focal',
        type=finite,
        default=1.0,
        metavar='FACTOR',
        help='multiply all focal lengths',
    )
    parser.add_argument(
        '--textures',
        type=whole,
        default=0,
        metavar='SEED',
        help='other colours and patterns of the same scenes; 0: the standard ones (default)',
    )
    parser.add_argument(
        '--workers', type=at_least(1), default=2, help=f'rendering processes {SHOWN}'
    )
    parser.add_argument(
        '--keep',
        action='store_true',
        help='keep a toy world of the same parameters, made by this version',
    )
    parser.add_argument(
        '--preview', action='store_true', help='draw a contact sheet, OUT/preview.png'
    )


def run(args: argparse.Namespace) -> None:
    try:
        out = make_toy_world(
            args.out,
            args.scenes,
            args.keyframes,
            args.size,
            args.seed,
            args.workers,
            args.layout,
            args.sweeps,
            args.keep,
            RigChange(args.camera_height, args.camera_pitch, args.camera_focal),
            args.textures,
        )
    except ValueError as error:
        sys.exit(f'error: {error}')
    print(f'toy world in {out}')
    if args.preview:
        from ..toy_world.preview import draw_toy_world
        from ..visualization import write_png

        write_png(draw_toy_world(out), out / PREVIEW)
        print(f'contact sheet in {out / PREVIEW}')
