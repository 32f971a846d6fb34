"""Predict the depth of images, a folder of images or a video.

Examples:
  hybrid-depth infer-depth drive.mp4 out/ --checkpoint mono_640x192.pth \\
      --config configs/monodepth2/monodepth2_r18_1xb12-20e_kitti-raw_192x640.py
  hybrid-depth infer-depth frames/ out/ --config CONFIG --checkpoint CHECKPOINT --numbers png \\
      --ply --intrinsics 721.5 721.5 609.6 172.9 --scale 5.4
Writes out/depth (values), out/color, out/cloud (with --ply), out/clip.mp4 (with --video mp4: one
colour range for all images) and out/manifest.json with the kind and unit of the values. Depth of a
self-supervised model is relative unless --scale sets its unit, or its checkpoint is calibrated
(hybrid-depth calibrate).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..config_files import find_config
from ..releases.zoo import releases
from .number_types import at_least, finite, positive, whole

if TYPE_CHECKING:
    import numpy as np

SMALLEST_INPUT = 32  # pixels, the stride of the encoders
FORMATS = ('png', 'npy', 'none')
CLIPS = ('mp4', 'gif')
FPS = 10  # of image folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('input', help='an image, a folder of images, or a video')
    parser.add_argument('out', help='output folder')
    parser.add_argument(
        '--config', required=True, help='config with a depth model, or a name of the zoo'
    )
    parser.add_argument('--checkpoint', help='weights (default: random, or those of the zoo)')
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda, cuda:1, ...')
    parser.add_argument(
        '--size',
        type=at_least(SMALLEST_INPUT),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='size of the network input (default: training size)',
    )
    parser.add_argument('--batch-size', type=at_least(1), default=1)
    parser.add_argument(
        '--frames',
        type=whole,
        nargs='+',
        metavar='FRAME',
        help='frames to predict from, 0 the image itself, -1 the one before (default: all that the '
        'model uses)',
    )
    parser.add_argument(
        '--numbers', choices=FORMATS, default='npy', help='16-bit PNG, exact npy (default) or none'
    )
    parser.add_argument('--no-color', action='store_true', help='write no visualizations')
    parser.add_argument(
        '--range',
        type=positive,
        nargs=2,
        metavar=('NEAR', 'FAR'),
        help='depth range of colours and point clouds (default: per image, and per clip)',
    )
    parser.add_argument('--video', choices=CLIPS, help='also write a clip, out/clip.mp4 or .gif')
    parser.add_argument(
        '--fps',
        type=positive,
        help=f"frames per second of the clip (default: the video's, or {FPS})",
    )
    parser.add_argument('--scale', type=positive, help="metres per unit of the model's depth")
    parser.add_argument('--ply', action='store_true', help='write point clouds')
    parser.add_argument(
        '--intrinsics',
        type=finite,
        nargs=4,
        metavar=('FX', 'FY', 'CX', 'CY'),
        help='intrinsics for --ply, pixels of the images (default: intrinsics.txt beside them)',
    )


def camera(args: argparse.Namespace) -> np.ndarray | None:
    """Intrinsic matrix (3, 3), given or beside the images; None if there is none."""

    from ..calibration_checks import check_camera
    from ..datasets.video.intrinsics import INTRINSICS_FILE, pixel_matrix, read_intrinsics
    from ..errors import ConfigError

    if args.intrinsics:
        return check_camera(pixel_matrix(args.intrinsics), '--intrinsics')
    source = Path(args.input)
    beside = (source if source.is_dir() else source.parent) / INTRINSICS_FILE
    if not beside.is_file():
        if not args.ply:
            return None
        raise ConfigError(
            f'--ply expected intrinsics, got none: set --intrinsics FX FY CX CY, or write them to '
            f'{beside}'
        )
    return read_intrinsics(beside)


def run(args: argparse.Namespace) -> None:
    config = args.config if args.config in releases() else find_config(args.config)

    from contextlib import nullcontext

    from tqdm import tqdm

    from ..depth.estimators.calibrated import CalibratedDepth
    from ..depth.estimators.init import init_depth_model
    from ..errors import ConfigError
    from ..inference.depth import stream_depth
    from ..inference.depth_clip import depth_clip
    from ..inference.depth_writer import DepthWriter
    from ..inference.image_streams import ImageStream

    cam2img = camera(args)
    stream = ImageStream(args.input)
    model = init_depth_model(config, args.checkpoint, args.device)
    trained = args.checkpoint is not None or model.weights_by_name or config in releases()
    if args.scale is not None and not trained:
        raise ConfigError(
            '--scale expected trained weights, got none: depth of random weights is not metric. '
            'Set --checkpoint FILE, or omit --scale'
        )
    calibrations = model.calibrations if isinstance(model, CalibratedDepth) else ()
    size = tuple(args.size) if args.size else model.image_size
    writer = DepthWriter(
        args.out,
        args.numbers,
        not args.no_color,
        cam2img if args.ply else None,
        args.range,
        max_disparity=1 / model.min_depth,
    )
    results = stream_depth(
        model, stream, size, args.scale, args.batch_size, cam2img, args.frames or None
    )
    alone = 0
    complete = False
    clip_file = f'{args.out}/clip.{args.video}'
    fps = args.fps or stream.fps or FPS
    clips = depth_clip(clip_file, fps, args.range) if args.video else nullcontext()
    try:
        with clips as clip:
            for result in tqdm(results, total=stream.total or None, desc='depth', unit='image'):
                writer.write(result)
                alone += result.frames == (0,)
                if clip is not None:
                    clip.add(result)
        complete = True
    finally:
        if writer.files:  # after a damaged image, what was written before can be used
            writer.close(
                config=args.config,
                checkpoint=args.checkpoint,
                network_size=size,
                complete=complete,
                calibrations=[calibration.as_dict() for calibration in calibrations],
            )
    print(f'wrote depth of {len(writer.files)} images to {args.out}')
    if args.video:
        print(f'clip: {clip_file}')
    for calibration in calibrations:
        print(calibration)
    if len(model.frames) > 1:
        print(f'single-frame mode: {alone} of them, the others from frames {model.frames}')
