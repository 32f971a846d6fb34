"""FB-BEV beside BEVDet at equal iterations on toy scenes, with and without history."""

from pathlib import Path

from .study import Run, run_study

METRICS = (
    'NuScenes metric/pred_instances_3d_NuScenes/mAP',
    'NuScenes metric/pred_instances_3d_NuScenes/NDS',
    'NuScenes metric/pred_instances_3d_NuScenes/mAVE',
    'NuScenes metric/depth/abs_rel',
)
SEEDS = (0, 1, 2)
NAMES = ('fbbev_hybrid', 'bevdet_hybrid', 'fbbev_hybrid_history')

RUNS = [Run(name, f'configs/toy/{name}_toy.py', seed) for seed in SEEDS for name in NAMES]


def main(folder: str) -> None:
    """Run what is not done yet."""
    run_study(RUNS, Path(folder).resolve(), METRICS, jobs=2)
