"""Self-supervised depth in metres on toy video: photometric, physics depth, and one after the other
(arXiv 2408.01565). The columns are errors in metres as predicted, then those after scaling each
image by its median."""

from pathlib import Path

from .study import Run, run_study

METRICS = ('depth/abs_rel', 'depth/a1', 'depth/median_scaled/abs_rel', 'depth/scale_spread')
CONFIGS = 'configs/toy/monodepth2-{}_r18_toy.py'
RUNS = [
    Run('physics', CONFIGS.format('physics')),
    Run('photometric', CONFIGS.format('photometric')),
    Run(
        'physics-photometric',
        CONFIGS.format('physics-photometric'),
        options=('load_from={study}/physics_seed0/epoch_3.pth',),
    ),
]


def main(folder: str) -> None:
    """Run the unfinished trainings."""
    run_study(RUNS, Path(folder).resolve(), METRICS)
