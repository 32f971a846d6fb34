#!/usr/bin/env python
"""Benchmarks with tables of results and ratios.

Example:
    python tools/benchmark.py pooling
    python tools/benchmark.py gpu
    python tools/benchmark.py rotated-nms
    python tools/benchmark.py nuscenes-eval
    python tools/benchmark.py depth-eval
    python tools/benchmark.py models --root data/nuscenes_keyframe
    python tools/benchmark.py folding --root data/nuscenes_keyframe
    python tools/benchmark.py loading --root data/nuscenes_keyframe
    python tools/benchmark.py scaling
    python tools/benchmark.py before ../before kitti-loading data/kitti
    python tools/benchmark.py before ../before nuscenes-loading data/nuscenes_keyframe
    python tools/benchmark.py before ../before monodepth2
    python tools/benchmark.py before ../before hybrid
    python tools/benchmark.py depth-models
    python tools/benchmark.py onnx-depth --kitti data/kitti
    python tools/benchmark.py depth-step
    python tools/benchmark.py depth-toy --out work_dirs/depth_toy
    python tools/benchmark.py multi-frame --out work_dirs/multi_frame --epochs 4
    python tools/benchmark.py bev-depth --out work_dirs/bev_depth
    python tools/benchmark.py claim-depth --towers work_dirs/towers --plan
    python tools/benchmark.py claim-bev --towers work_dirs/towers --jobs 2
    python tools/benchmark.py embodied-self --out work_dirs/embodied_self
    python tools/benchmark.py fb-bev --out work_dirs/fb_bev
    python tools/benchmark.py embodied --out work_dirs/embodied
    python tools/benchmark.py robustness-toy --out work_dirs/robustness_toy
    python tools/benchmark.py towers --out work_dirs/towers --kitti data/kitti
    python tools/benchmark.py ground-scale --kitti data/kitti
    python tools/benchmark.py embodied-labels --root data/toy_kitti
    python tools/benchmark.py kills
    python tools/benchmark.py memory-growth
    python tools/benchmark.py learning work_dirs/kitti_drive
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

from hybrid_depth import cli

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

STUDIES = {
    'depth-toy': 'depth models',
    'multi-frame': 'depth from several frames',
    'bev-depth': 'depth supervision',
    'embodied-self': 'self-supervised depth in metres',
    'fb-bev': 'FB-BEV against BEVDet',
    'embodied': 'embodied depth and text',
    'robustness-toy': 'detectors under corruptions and on other rigs',
}
CLAIMS = {
    'claim-depth': 'foundation towers and language in depth models',
    'claim-bev': 'depth and foundation towers in detectors',
}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('pooling', help='BEV pooling back-ends: time and peak memory')
    commands.add_parser('gpu', help='on a GPU: pooling kernels and whole models, checked and timed')
    commands.add_parser('rotated-nms', help='NMS of BEV boxes against mmcv or shapely')
    commands.add_parser('nuscenes-eval', help='detection scores against the devkit')
    commands.add_parser('depth-eval', help='depth scores against a plain loop')
    models = commands.add_parser('models', help='full-size detectors: parameters and CPU time')
    models.add_argument('--root', default='data/nuscenes_keyframe', help='nuScenes root')
    folding = commands.add_parser('folding', help='full-size detectors: BatchNorms folded or not')
    folding.add_argument('--root', default='data/nuscenes_keyframe', help='nuScenes root')
    loading = commands.add_parser('loading', help='loading of the six images of a sample')
    loading.add_argument('--root', default='data/nuscenes_keyframe', help='nuScenes root')
    scaling = commands.add_parser('scaling', help='growth of time and memory with all sizes')
    scaling.add_argument('--quick', action='store_true', help='tiny sizes')
    before = commands.add_parser('before', help='this code against that of an earlier commit')
    before.add_argument('checkout', help='worktree of the earlier commit')
    works = ['kitti-loading', 'nuscenes-loading', 'bevdet', 'monodepth2', 'hybrid']
    before.add_argument('work', choices=works)
    before.add_argument('data', nargs='?', default='data/kitti', help='root, for loading')
    before.add_argument('--repeats', type=int, default=7)
    depth = commands.add_parser('depth-models', help='Monodepth2, ManyDepth and Mono-ViFI: cost')
    depth.add_argument('--quick', action='store_true', help='small images, one repeat')
    onnx = commands.add_parser('onnx-depth', help='ONNX files of full-size depth models')
    onnx.add_argument('--kitti', default='data/kitti', help='KITTI raw folder')
    onnx.add_argument('--only', nargs='+', default=(), help='only these models')
    commands.add_parser('depth-step', help='hybrid encoder: effect of each optimisation')
    for name, subject in {**STUDIES, **CLAIMS}.items():
        study = commands.add_parser(name, help=f'the study of {subject} on the toy world')
        out = f'work_dirs/{name.replace("-", "_")}'
        study.add_argument('--out', default=out, help='output folder; finished runs are kept')
        if name in CLAIMS:
            study.add_argument(
                '--towers', help='folder of trained towers; runs that need them wait without'
            )
            study.add_argument('--plan', action='store_true', help='only print runs and minutes')
            study.add_argument('--jobs', type=int, default=1, help='parallel runs (default 1)')
        if name == 'multi-frame':
            study.add_argument(
                '--epochs', type=int, default=4, help='of every model, 192 iterations'
            )
    towers = commands.add_parser('towers', help='small CLIP and DINO towers of the toy world')
    towers.add_argument('--out', default='work_dirs/towers', help='output folder; resumable')
    towers.add_argument('--encoders', nargs='+', choices=['depth', 'bev'], default=['depth', 'bev'])
    names = ['clip_distance', 'clip_plain', 'dino']
    towers.add_argument('--only', nargs='+', choices=names, default=names, help='these towers')
    towers.add_argument(
        '--kitti',
        default=os.environ.get('HYBRID_DEPTH_KITTI'),
        help='KITTI raw folder, whose frames DINO sees too; default: $HYBRID_DEPTH_KITTI',
    )
    ground = commands.add_parser(
        'ground-scale', help='scale from the camera height against real LiDAR'
    )
    ground.add_argument('--kitti', default='data/kitti', help='KITTI raw folder')
    ground.add_argument('--nuscenes', default='data/nuscenes_keyframe', help='v1.0-mini root')
    ground.add_argument(
        '--out', default='work_dirs/ground_scale', help='output folder of info files'
    )
    labels = commands.add_parser(
        'embodied-labels', help='embodied depth with exact and damaged labels on the toy world'
    )
    labels.add_argument('--root', default='data/toy_kitti', help='toy world of KITTI layout')
    labels.add_argument('--every', type=int, default=10, help='frames of a drive, one of so many')
    kills = commands.add_parser('kills', help='SIGKILLs of trainings and writers')
    kills.add_argument('--out', default='work_dirs/kills', help='output folder; rows are kept')
    kills.add_argument('--only', nargs='+', metavar='ROW', help='only these rows')
    growth = commands.add_parser('memory-growth', help='memory over training and inference steps')
    growth.add_argument('--out', default='work_dirs/memory_growth', help='output folder')
    growth.add_argument('--steps', type=int, default=2000, help='training steps of each model')
    growth.add_argument('--frames', type=int, default=1000, help='inference frames of each model')
    learning = commands.add_parser('learning', help='learning curve of a depth training')
    learning.add_argument('work_dir', help='work dir of tools/train.py')
    return parser


def main() -> None:
    args = make_parser().parse_args()
    module = importlib.import_module(f'benchmarks.{args.command.replace("-", "_")}')
    module.main(*(value for name, value in vars(args).items() if name != 'command'))


if __name__ == '__main__':
    cli.run(main)
