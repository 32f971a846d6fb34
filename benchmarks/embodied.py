"""Supervised depth on the toy world with the parts of Vision-Language Embodiment, one by one.

The steps are those of the paper's ablation (arXiv 2503.16535): image alone; with embodied depth,
joined; with exchanged attention; with captions; with object sentences. The first columns are errors
in metres as predicted, the last after scaling each image by its median.
"""

from pathlib import Path

from .study import Run, run_study

METRICS = ('depth/abs_rel', 'depth/rmse', 'depth/a1', 'depth/median_scaled/abs_rel')
CONFIG = 'configs/toy/embodiment_toy.py'
SEEDS = (0, 1, 2)  # of the first and the last step
NO_TEXT = ('model.text_width=None', 'model.text_probability=0.0')
LOAD_TEXT = '_dataloader.dataset.pipeline.2.objects=None'  # third step of the pipelines
CAPTIONS = ('model.text_width=1024', f'train{LOAD_TEXT}', f'val{LOAD_TEXT}', f'test{LOAD_TEXT}')
STEPS = dict(
    image=('model.prior_encoder=None', *NO_TEXT),
    prior=('model.fusion=concat', *NO_TEXT),
    attention=NO_TEXT,
    captions=CAPTIONS,
    object_sentences=(),
)
RUNS = [
    *(Run(name, CONFIG, 0, options) for name, options in STEPS.items()),
    *(
        Run(name, CONFIG, seed, STEPS[name])
        for seed in SEEDS[1:]
        for name in ('image', 'object_sentences')
    ),
]


def main(folder: str) -> None:
    """Run the unfinished trainings, two at a time."""
    run_study(RUNS, Path(folder).resolve(), METRICS, jobs=2)
