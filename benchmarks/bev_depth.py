"""What depth supervision and the depth net are worth to a toy detector."""

import subprocess
import sys
from pathlib import Path

from .study import REPOSITORY, Run, run_study

METRICS = (
    'NuScenes metric/pred_instances_3d_NuScenes/mAP',
    'NuScenes metric/pred_instances_3d_NuScenes/NDS',
    'NuScenes metric/depth/abs_rel',
)
SEEDS = (0, 1, 2)  # of the decisive three
CONFIGS = 'configs/toy/depth_supervision'
TEACHER = 'configs/toy/monodepth2_hybrid_video_toy.py'
TEACHER_CHECKPOINT = '{study}/teacher_seed0/epoch_6.pth'
PSEUDO_DEPTH = '{study}/pseudo_depth'
LOADER = 'train_dataloader.dataset.dataset.pipeline.3.folder=' + PSEUDO_DEPTH

#: The depth model that needs no LiDAR: both stages, on the video of the detectors' own cameras.
TEACHERS = [
    Run('stage1', 'configs/toy/hybrid_stage1_video_toy.py', scored=False),
    Run(
        'teacher',
        TEACHER,
        options=('model.init_cfg.checkpoint={study}/stage1_seed0/epoch_6.pth',),
        scored=False,
    ),
]


def _supervised(name: str, seed: int = 0) -> Run:
    options = {
        'pseudo': (LOADER,),
        'both': (LOADER,),
        'lidar_pretrained': ('model.init_cfg.checkpoint=' + TEACHER_CHECKPOINT,),
    }
    return Run(name, f'{CONFIGS}/{name}.py', seed, options.get(name, ()))


RUNS = [
    *(_supervised(name) for name in ('none', 'lidar', 'pseudo')),
    *(_supervised(n) for n in ('both', 'lidar_plain', 'lidar_camera_aware', 'lidar_pretrained')),
    *(_supervised(name, seed) for seed in SEEDS[1:] for name in ('none', 'lidar', 'pseudo')),
]


def main(folder: str) -> None:
    """Run what is not done yet: the teacher, its depth, the detectors."""
    study = Path(folder).resolve()
    run_study(TEACHERS, study, METRICS)
    names = dict(study=study)
    subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / 'tools/make_pseudo_depth.py'),
            TEACHER,
            TEACHER_CHECKPOINT.format(**names),
            '--infos',
            'data/toy/nuscenes_infos_train.pkl',
            '--out',
            PSEUDO_DEPTH.format(**names),
        ],
        cwd=REPOSITORY,
        check=True,
    )
    run_study(RUNS, study, METRICS, jobs=2)
