"""Study of FB-BEV against BEVDet at equal iterations on toy scenes, with and without history."""

from pathlib import Path

from .study import Run, run_study

METRICS = (
    'NuScenes metric/pred_instances_3d_NuScenes/mAP',
    'NuScenes metric/pred_instances_3d_NuScenes/NDS',
    'NuScenes metric/pred_instances_3d_NuScenes/mAVE',
    'NuScenes metric/depth/abs_rel',
)
SEEDS = (0, 1, 2)
CONFIGS = 'configs/toy'
HISTORY = f'{CONFIGS}/fbbev_hybrid_history_toy.py'
WITHOUT = ('model.temporal=None',)


def _pair(seed: int) -> list[Run]:
    return [
        Run(name, f'{CONFIGS}/{name}_toy.py', seed) for name in ('fbbev_hybrid', 'bevdet_hybrid')
    ]


def _history(seed: int) -> list[Run]:
    """With and without history, both in sequential order of samples."""
    return [
        Run('fbbev_hybrid_history', HISTORY, seed),
        Run('fbbev_hybrid_in_order', HISTORY, seed, WITHOUT),
    ]


RUNS = [run for make in (_pair, _history) for seed in SEEDS for run in make(seed)]


def main(folder: str) -> None:
    """Run the unfinished trainings."""
    run_study(RUNS, Path(folder).resolve(), METRICS, jobs=2)
