"""Self-supervised depth on toy video: Monodepth2, and Hybrid-depth with and without its parts."""

from pathlib import Path

from .study import Run, run_study

METRICS = ('depth/abs_rel', 'depth/rmse', 'depth/a1', 'depth/scale_spread')
SEEDS = (0, 1, 2)  # of the main comparison, with and without stage 1
STAGE_1 = 'model.init_cfg.checkpoint={study}/stage1_seed{seed}/epoch_6.pth'
SCRATCH = 'model.init_cfg=None'


def _pair(seed: int) -> list[Run]:
    hybrid = 'configs/toy/monodepth2_hybrid_toy.py'
    return [
        Run('stage1', 'configs/toy/hybrid_stage1_toy.py', seed, scored=False),
        Run('hybrid', hybrid, seed, (STAGE_1,)),
        Run('hybrid_without_stage1', hybrid, seed, (SCRATCH,)),
    ]


RUNS = [
    Run('monodepth2_r18', 'configs/toy/monodepth2_r18_toy.py'),
    *_pair(SEEDS[0]),
    Run('hybrid_without_text', 'configs/toy/monodepth2_hybrid_notext_toy.py', 0, (STAGE_1,)),
    *(run for seed in SEEDS[1:] for run in _pair(seed)),
]


def main(folder: str) -> None:
    """Run the unfinished trainings."""
    run_study(RUNS, Path(folder).resolve(), METRICS)
