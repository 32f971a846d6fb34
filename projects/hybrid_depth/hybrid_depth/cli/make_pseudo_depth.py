"""Write metric pseudo depth of the keyframes of an info file, by a self-supervised depth model.

Examples:
  hybrid-depth make-pseudo-depth --infos data/nuscenes/nuscenes_infos_train.pkl \\
      --out data/nuscenes/pseudo_depth \\
      configs/hybrid_depth/hybrid-depth-stage2_clip-dinov2_1xb16-20e_nus-video_280x504.py \\
      hybrid.pth
  torchrun --nproc-per-node 8 -m hybrid_depth make-pseudo-depth CONFIG CHECKPOINT --device cuda ...
The model should be trained on images of this aspect ratio; for a wider training size, the lower
part of the images is used. Writes OUT/CAMERA/NAME.png (16 bit, metres times 256, 0 = unknown;
OUT/DRIVE/CAMERA/NAME.png of own vehicles), OUT/scales_*.jsonl (scale of every image and its
spread) and OUT/manifest.json. Resumable. Train on it with LoadPseudoDepth(folder=OUT) and
depth_supervision=[dict(type='PseudoDepthTarget')].
"""

import argparse
import os
import statistics
from pathlib import Path

from ..config_files import find_config
from .infer_depth import SMALLEST_INPUT
from .number_types import at_least, not_negative, positive

SCALES = ('ground', 'lidar', 'motion', 'none')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config of the depth model')
    parser.add_argument(
        'checkpoint', nargs='?', help='weights of the depth model; TransformersDepth needs none'
    )
    parser.add_argument(
        '--infos', required=True, help='info file (create-nuscenes-infos, or rig import)'
    )
    parser.add_argument('--root', help="data folder (default: the info file's)")
    parser.add_argument('--out', required=True, help='output folder')
    parser.add_argument(
        '--scale',
        choices=SCALES,
        help='metric scale of each image from the ground plane and camera height (default), from '
        'LiDAR, from ego motion, or none for a metric model (default with a calibrated checkpoint)',
    )
    parser.add_argument(
        '--max-depth', type=positive, default=80.0, help='largest depth kept, metres (default 80)'
    )
    parser.add_argument(
        '--mirror-tolerance',
        type=not_negative,
        default=0.1,
        help='largest relative difference from the disparity of the mirrored image (default 0.1)',
    )
    parser.add_argument(
        '--neighbour-tolerance',
        type=not_negative,
        help='largest relative difference from the depth of the previous key frame, such as 0.1 '
        '(default: not compared)',
    )
    parser.add_argument(
        '--ego-masks', help='folder of masks of the vehicle itself (make-ego-masks): no depth there'
    )
    parser.add_argument('--device', default='cpu', help='cpu (default) or cuda')
    parser.add_argument(
        '--size',
        type=at_least(SMALLEST_INPUT),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='size of the network input (default: training size)',
    )


def run(args: argparse.Namespace) -> None:
    config = find_config(args.config)

    from tqdm import tqdm

    from ..depth.estimators.init import init_depth_model
    from ..digests import digest
    from ..engine.model_files import read_model_config
    from ..errors import ConfigError, DepthDataError
    from ..pseudo_depth.cache import keyframes_for, read_scales, write_pseudo_depth
    from ..pseudo_depth.model import PseudoDepth, default_scale
    from ..releases.conversion import sha256

    rank, world = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    device = f'cuda:{os.environ["LOCAL_RANK"]}' if args.device == 'cuda' and world > 1 else None
    model = init_depth_model(config, args.checkpoint, device or args.device)
    if args.checkpoint is None and not model.weights_by_name:
        raise ConfigError('expected the checkpoint of a trained model, got none')
    args.scale = args.scale or default_scale(model)
    model.image_size = tuple(args.size) if args.size else model.image_size
    if model.image_size is None:
        raise ConfigError('expected --size HEIGHT WIDTH, as the config has no training size')
    source = PseudoDepth(
        model, args.scale, args.mirror_tolerance, args.max_depth, args.neighbour_tolerance
    )
    dataset = keyframes_for(source, args.infos, args.root)
    out = Path(args.out)
    facts = dict(
        config=config.name,
        model=digest(read_model_config(config).model.to_dict()),
        checkpoint=args.checkpoint and sha256(Path(args.checkpoint)),
        scale=args.scale,
        max_depth=args.max_depth,
        mirror_tolerance=args.mirror_tolerance,
        neighbour_tolerance=args.neighbour_tolerance,
        image_size=list(model.image_size),
        ego_masks=args.ego_masks,
        network=dict(
            min_depth=model.min_depth,
            max_depth=model.max_depth,
            canonical_focal=getattr(model, 'canonical_focal', None),
        ),
        unit='m / 256, 0 = unknown',
    )
    masks = Path(args.ego_masks) if args.ego_masks else None
    todo = write_pseudo_depth(dataset, source, out, facts, (rank, world), masks)
    images = sum(tqdm(todo, total=len(range(rank, len(dataset), world)), desc='keyframes'))
    notes = {note['file']: note for note in read_scales(out)}
    scaled = [note for note in notes.values() if note['scale'] is not None]
    print(f'pseudo depth of {images} images in {out}; {len(scaled)} of {len(notes)} have a scale')
    # the first of several processes to finish may only find the records of its shard
    if len(notes) == len(dataset) * len(dataset.cameras) and not scaled:
        raise DepthDataError(
            f'expected images whose scale can be estimated by {args.scale!r}, got none; {out} '
            'cannot be used for training. Check the depth (hybrid-depth infer-depth), or use '
            'another --scale'
        )
    if scaled:
        known = statistics.mean(note['known'] for note in scaled)
        spread = statistics.median(note['spread'] for note in scaled)
        print(f'median spread of the scale {spread:.3f}; {known:.0%} of their pixels have depth')
