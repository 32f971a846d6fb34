"""Predict boxes and depth of keyframes of an info file, with visualizations.

Example:
  hybrid-depth infer-bev data/nuscenes/nuscenes_infos_val.pkl out/ --index 0 1 2 \\
      --config configs/bevdet/bevdet_r50_8xb8-cbgs-20e_nus-3d_256x704.py --checkpoint bevdet_r50.pth
Writes out/NAME.json (boxes in the LiDAR frame) and out/NAME.png for every keyframe; NAME is its
index and token. --video adds a clip per scene, --tracks numbers and lines of tracked objects. Info
files are made by hybrid-depth create-nuscenes-infos.
"""

import argparse
import re
from pathlib import Path

from ..config_files import find_config
from ..releases.zoo import releases
from .number_types import at_least, finite, positive

CLIPS = ('mp4', 'gif')


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
        '--batch-size',
        type=at_least(1),
        default=1,
        help='keyframes in one forward pass, of models without a history (default: 1)',
    )
    parser.add_argument(
        '--score-thr',
        type=finite,
        default=0.3,
        help='smallest score of the boxes drawn and tracked (default: %(default)s)',
    )
    parser.add_argument('--video', choices=CLIPS, help='also write a clip per scene, out/SCENE.mp4')
    parser.add_argument(
        '--fps',
        type=positive,
        default=2.0,
        help='frames per second of the clips (default: %(default)s, as key frames)',
    )
    parser.add_argument(
        '--tracks',
        action='store_true',
        help='track boxes over the keyframes of a scene, at constant velocity',
    )


def run(args: argparse.Namespace) -> None:
    config = args.config if args.config in releases() else find_config(args.config)

    from contextlib import nullcontext

    from tqdm import tqdm

    from ..errors import ConfigError
    from ..inference.bev import (
        by_scene,
        find_keyframe,
        frames_before,
        in_order,
        infer_sample,
        infer_samples,
        init_bev_model,
        keyframes,
    )
    from ..inference.bev_tracks import SceneTracks
    from ..inference.bev_writer import write_keyframe
    from ..inference.scene_clips import SceneClips

    model = init_bev_model(config, args.checkpoint, args.device)
    dataset = keyframes(model, args.infos, args.root)
    keys = [int(name) if re.fullmatch('[0-9]{1,9}', name) else name for name in args.index]
    indices = in_order(dataset) if args.all else [find_keyframe(dataset, key) for key in keys]
    if args.batch_size > 1 and dataset.sequence_length is not None:
        raise ConfigError(
            f'expected --batch-size 1 for {args.config}, whose model remembers the frames before, '
            f'got {args.batch_size}'
        )
    if args.video or args.tracks:
        indices = by_scene(dataset, indices)
    boxes, classes = 0, dataset.metainfo['classes']
    tracks = SceneTracks(args.score_thr) if args.tracks else None
    clips = SceneClips(Path(args.out), args.video, args.fps) if args.video else None
    with clips or nullcontext():
        for first in tqdm(range(0, len(indices), args.batch_size), desc='keyframes'):
            batch = indices[first : first + args.batch_size]
            for earlier in [] if args.all else frames_before(dataset, batch[0]):
                infer_sample(model, dataset[earlier])
            packed = [dataset[index] for index in batch]
            for item, sample in zip(packed, infer_samples(model, packed), strict=True):
                boxes += len(sample.pred_instances_3d.scores_3d)
                sheet = write_keyframe(
                    sample, item, classes, Path(args.out), args.score_thr, tracks
                )
                if clips is not None:
                    clips.write(str(sample.metainfo.get('scene_token', 'clip')), sheet)
    print(f'wrote {boxes} boxes of {len(indices)} keyframes to {args.out}')
