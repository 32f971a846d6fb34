"""Study of depth supervision and depth nets of a toy detector."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from mmengine.registry import DefaultScope

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.files import atomic_file

from .study import REPOSITORY, Run, run_study

METRICS = (
    'NuScenes metric/pred_instances_3d_NuScenes/mAP',
    'NuScenes metric/pred_instances_3d_NuScenes/NDS',
    'NuScenes metric/depth/abs_rel',
)
SEEDS = (0, 1, 2)  # of the main runs
CONFIGS = 'configs/toy/depth_supervision'
TEACHER = 'configs/toy/monodepth2_hybrid_video_toy.py'
INFOS = 'data/toy/nuscenes_infos_train.pkl'
FINAL_SIZE, MAX_DEPTH = (96, 256), 56.0  # input size of the detectors; last bin, metres
TEACHER_CHECKPOINT = '{study}/teacher_seed0/epoch_3.pth'
PSEUDO_DEPTH = '{study}/pseudo_depth'
EMBODIED = '{study}/embodied'
LOADER = 'train_dataloader.dataset.dataset.pipeline.3.folder='

#: The toy world's labels; its sidewalks have no kerb.
EMBODIED_ARGUMENTS = (
    *('--labels', 'data/toy/semantic', '--instances', 'data/toy/instance', '--infos', INFOS),
    *('--kerb-height', '0', 'data/toy'),
)

#: Depth model without LiDAR: both stages, on the video of the detectors' cameras.
TEACHERS = [
    Run('stage1', 'configs/toy/hybrid_stage1_video_toy.py', scored=False),
    Run(
        'teacher',
        TEACHER,
        options=('model.init_cfg.checkpoint={study}/stage1_seed0/epoch_3.pth',),
        scored=False,
    ),
]


def _supervised(name: str, seed: int = 0) -> Run:
    options = {
        'pseudo': (LOADER + PSEUDO_DEPTH,),
        'both': (LOADER + PSEUDO_DEPTH,),
        'physics': (LOADER + EMBODIED + '/depth',),
        'lidar_pretrained': ('model.init_cfg.checkpoint=' + TEACHER_CHECKPOINT,),
    }
    return Run(name, f'{CONFIGS}/{name}.py', seed, options.get(name, ()))


MAIN = ('none', 'lidar', 'pseudo', 'physics')
SINGLE = ('both', 'lidar_plain', 'lidar_camera_aware', 'lidar_pretrained', 'true_depth')
RUNS = [
    *(_supervised(name) for name in MAIN),
    *(_supervised(name) for name in SINGLE),
    *(_supervised(name, seed) for seed in SEEDS[1:] for name in MAIN),
]


def main(folder: str) -> None:
    """Run the unfinished steps: teacher, pseudo depth, embodied depth, detectors."""
    study = Path(folder).resolve()
    run_study(TEACHERS, study, METRICS)
    checkpoint, cache = TEACHER_CHECKPOINT.format(study=study), PSEUDO_DEPTH.format(study=study)
    arguments = [TEACHER, checkpoint, '--infos', INFOS, '--out', cache]
    _tool('make_pseudo_depth.py', *arguments)
    _tool('make_embodied_depth.py', *EMBODIED_ARGUMENTS, EMBODIED.format(study=study))
    with atomic_file(study / 'teacher.json', 'w') as file:
        json.dump(report := teacher_error(REPOSITORY / INFOS, cache), file, indent=2)
    print('pseudo depth against LiDAR:', report)
    run_study(RUNS, study, METRICS, jobs=2)


def _tool(name: str, *arguments: str) -> None:
    command = [sys.executable, str(REPOSITORY / 'tools' / name), *arguments]
    if subprocess.run(command, cwd=REPOSITORY).returncode:
        sys.exit(f'error: {name} failed, see above')


def teacher_error(infos: Path, cache: str) -> dict[str, float]:
    """AbsRel of cached depth at LiDAR points up to `MAX_DEPTH`, and the fraction of these points
    with a cached depth."""
    pipeline = [
        dict(type='LoadMultiViewImages'),
        dict(type='ImageAugmentation', final_size=FINAL_SIZE, random=False),
        dict(type='LoadPseudoDepth', folder=cache),
        dict(type='LoadLidarDepth', depth_range=(1.0, MAX_DEPTH)),
    ]
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        dataset = NuScenesBEVDataset(
            str(infos.parent), str(infos), pipeline=pipeline, test_mode=True
        )
    errors, points = [], 0
    for sample in map(dataset.__getitem__, range(len(dataset))):
        cached, true = sample['pseudo_depth'], sample['gt_depth']
        both = (cached > 0) & (true > 0)
        errors.append(np.abs(cached[both] / true[both] - 1))
        points += (true > 0).sum()
    errors = np.concatenate(errors)
    return dict(abs_rel=float(errors.mean()), known=len(errors) / float(points))
