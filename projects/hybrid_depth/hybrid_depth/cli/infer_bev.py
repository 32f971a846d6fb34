"""Predict boxes and depth of keyframes of an info file, with visualizations.

Example:
  hybrid-depth infer-bev data/nuscenes/nuscenes_infos_val.pkl out/ --index 0 1 2 \\
      --config configs/bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py --checkpoint bevdet_r50.pth
Writes out/NAME.json (boxes in the LiDAR frame) and out/NAME.png for every keyframe; NAME is its
index and token. Info files are made by hybrid-depth create-nuscenes-infos.
"""

import argparse
import re
from pathlib import Path

from ..config_files import find_config
from ..releases.zoo import releases
from .number_types import finite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('infos', help='info file')
    parser.add_argument('out', help='output folder')
    parser.add_argument(
        '--config', required=True, help='config with a detector, or a name of the zoo'
    )
    parser.add_argument('--checkpoint', help='weights (default: random, or those of the zoo)')
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda, cuda:1, ...')
    parser.add_argument('--root', help="nuScenes root (default: the info file's folder)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        '--index',
        nargs='+',
        default=['0'],
        help='keyframes, by index in the info file or by token (default: the first)',
    )
    which.add_argument('--all', action='store_true', help='every keyframe of the file')
    parser.add_argument(
        '--score-thr',
        type=finite,
        default=0.1,
        help='smallest score of the boxes drawn (default: %(default)s)',
    )


def run(args: argparse.Namespace) -> None:
    config = args.config if args.config in releases() else find_config(args.config)

    from tqdm import tqdm

    from ..inference.bev import (
        find_keyframe,
        frames_before,
        in_order,
        infer_sample,
        init_bev_model,
        keyframes,
    )
    from ..inference.bev_writer import write_keyframe

    model = init_bev_model(config, args.checkpoint, args.device)
    dataset = keyframes(model, args.infos, args.root)
    keys = [int(name) if re.fullmatch('[0-9]{1,9}', name) else name for name in args.index]
    indices = in_order(dataset) if args.all else [find_keyframe(dataset, key) for key in keys]
    boxes = 0
    for index in tqdm(indices, desc='keyframes'):
        for earlier in [] if args.all else frames_before(dataset, index):
            infer_sample(model, dataset[earlier])
        packed = dataset[index]
        sample = infer_sample(model, packed)
        boxes += len(sample.pred_instances_3d.scores_3d)
        classes = dataset.metainfo['classes']
        write_keyframe(sample, packed, classes, Path(args.out), args.score_thr)
    print(f'wrote {boxes} boxes of {len(indices)} keyframes to {args.out}')
