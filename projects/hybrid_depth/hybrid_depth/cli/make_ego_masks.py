"""Find the body of the vehicle in the images of its cameras, as what never moves.

Examples:
  hybrid-depth make-ego-masks data/video masks
  hybrid-depth make-ego-masks data/rig masks --infos data/rig/infos_train.pkl
The folder has one folder of frames per camera (of several drives: folders of one name are one
camera), or is the root of an info file. Writes OUT/CAMERA.png (255 = the body of the vehicle) and
OUT/preview/CAMERA.jpg: look at these, and correct the masks by hand where needed, as shiny bodies
are found in part only. Masks are used by ego_masks of a data set with LoadEgoMask, whose pixels do
not count in the photometric loss, and by make-pseudo-depth --ego-masks.
"""

import argparse
from pathlib import Path

from .number_types import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', help='folder of the images')
    parser.add_argument('out', help='output folder')
    parser.add_argument('--infos', help='info file of the root')
    parser.add_argument(
        '--images',
        type=at_least(12),
        default=100,
        help='images per camera, spread over all (default 100)',
    )


def run(args: argparse.Namespace) -> None:
    if not Path(args.root).is_dir():
        raise FileNotFoundError(
            f'expected a folder of images, got {args.root}, which does not exist'
        )
    from tqdm import tqdm

    from ..inference.ego_mask_writer import camera_images, write_ego_mask

    cameras = camera_images(args.root, args.infos)
    shares = {
        name: write_ego_mask(Path(args.out), name, images, args.images)
        for name, images in tqdm(cameras.items(), desc='cameras')
    }
    for name, share in shares.items():
        note = '' if share else ': no body found; draw it if there is one'
        print(f'{name}: {share:.1%} of the image{note}')
    print(f'wrote masks of {len(shares)} cameras to {args.out}; look at {args.out}/preview')
