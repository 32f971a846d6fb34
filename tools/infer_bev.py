#!/usr/bin/env python
"""Boxes, expected depth and a picture for keyframes of an info file.

Example: python tools/infer_bev.py data/nuscenes/nuscenes_infos_val.pkl out/ \\
             --config configs/bevdet_r50.py --checkpoint bevdet_r50.pth --index 0 1 2
Writes out/NAME.json (boxes in the LiDAR frame) and out/NAME.png for every keyframe; NAME is its
number and token. Info files come from tools/create_nuscenes_infos.py.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from hybrid_depth import cli
from hybrid_depth.apis import init_bev_model
from hybrid_depth.inference.bev import (
    find_keyframe,
    frames_before,
    in_order,
    infer_sample,
    keyframes,
)
from hybrid_depth.inference.bev_writer import write_keyframe


def parse_args() -> argparse.Namespace:
    parser = cli.make_parser(__doc__)
    parser.add_argument('infos', help='info file')
    parser.add_argument('out', help='folder for the results')
    parser.add_argument('--config', required=True, help='config with a detector')
    parser.add_argument('--checkpoint', help='its weights; without, they are random')
    parser.add_argument('--device', default='cpu', help='cpu (default), cuda, cuda:1, ...')
    parser.add_argument('--root', help="nuScenes root (default: the info file's folder)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        '--index',
        nargs='+',
        default=['0'],
        help='keyframes, by number in the info file or by token (default: the first)',
    )
    which.add_argument('--all', action='store_true', help='every keyframe of the file')
    parser.add_argument(
        '--score-thr', type=float, default=0.1, help='leave boxes that score less out of pictures'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    model = init_bev_model(args.config, args.checkpoint, args.device)
    dataset = keyframes(model, args.infos, args.root)
    wanted = [int(name) if name.isdigit() else name for name in args.index]
    places = in_order(dataset) if args.all else [find_keyframe(dataset, key) for key in wanted]
    boxes = 0
    for place in tqdm(places, desc='keyframes'):
        for earlier in [] if args.all else frames_before(dataset, place):
            infer_sample(model, dataset[earlier])
        packed = dataset[place]
        sample = infer_sample(model, packed)
        boxes += len(sample.pred_instances_3d.scores_3d)
        classes = dataset.metainfo['classes']
        write_keyframe(sample, packed, classes, Path(args.out), args.score_thr)
    print(f'wrote {boxes} boxes of {len(places)} keyframes to {args.out}')


if __name__ == '__main__':
    cli.run(main)
