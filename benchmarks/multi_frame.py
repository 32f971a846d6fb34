"""Depth from several frames on toy video: ManyDepth and Mono-ViFI beside Monodepth2, with equal
iterations, on moving and static pixels."""

from pathlib import Path

from .study import Run, run_study

METRICS = tuple(
    f'depth/{mode}{part}abs_rel'
    for mode in ('', 'single_frame/')
    for part in ('', 'moving/', 'static/')
)
SIZE = '(96,64)'


def runs(epochs: int) -> tuple[list[Run], list[Run]]:
    """Runs that need no other, and those that start from them."""
    last = f'epoch_{epochs}.pth'
    schedule = (
        f'train_cfg.max_epochs={epochs}',
        'val_cfg=None',
        'val_dataloader=None',
        'val_evaluator=None',
    )

    def run(name: str, resize: int, *options: str) -> Run:
        """Run of a config; ``resize``: place of the step of its pipeline that sets the size."""
        size = f'train_dataloader.dataset.pipeline.{resize}.size={SIZE}'
        test = f'test_dataloader.dataset.pipeline.1.size={SIZE}'
        cosine = f'param_scheduler.1.T_max={epochs}'
        return Run(name, f'configs/toy/{name}_toy.py', 0, (*schedule, size, test, cosine, *options))

    freeze = f'default_hooks.freeze_teacher.epoch={epochs * 3 // 4}'
    interpolation = (
        *schedule[:1],
        f'train_dataloader.dataset.pipeline.1.size={SIZE}',
        'train_dataloader.dataset.pipeline.2.size=(80,64)',
        f'param_scheduler.0.T_max={epochs}',
    )
    first = [
        run('monodepth2_r18', 2),
        run('manydepth_r18', 2, freeze),
        run('manydepth_hybrid', 2, freeze),
        Run('ifrnet_small', 'configs/toy/ifrnet_small_toy.py', 0, interpolation, scored=False),
    ]
    then = [
        run(
            'mono_vifi_r18',
            3,
            f'train_dataloader.dataset.pipeline.2.size={SIZE}',
            f'model.interpolation.pretrained={{study}}/ifrnet_small_seed0/{last}',
            f'model.init_cfg.checkpoint={{study}}/monodepth2_r18_seed0/{last}',
        )
    ]
    return first, then


def main(folder: str, epochs: int) -> None:
    """Run the unfinished trainings, two at a time."""
    study = Path(folder).resolve()
    first, then = runs(epochs)
    run_study(first, study, METRICS, jobs=2)
    run_study([*first, *then], study, METRICS, jobs=2)
