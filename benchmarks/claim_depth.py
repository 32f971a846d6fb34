"""Do foundation towers and language help self-supervised depth? Toy drives, equal iterations.

Said before the runs (rules of a verdict: `paired`):

- Rows are RECIPE_PERCENT: a recipe, trained on 10, 30 or 100 % of the drives (`claim_worlds`). Seed
  s of every recipe has the same drives and the same order of images.
- Decisive: the comparisons of `QUESTIONS`, with 10 % and 100 % of the drives, five seeds each, by
  AbsRel of the scored world, whose scenes nothing else uses. An improvement below 0.003 does not
  matter. All other rows have one seed and decide nothing.
- One thing is chosen, on the scenes of the choosing world alone: the factor of the towers' learning
  rate, for towers with and without pretrained weights separately (`CHOICES`).
- Ten decisive comparisons, of which a true "no effect" says yes in 5 %: half a false yes is
  expected, so one yes without its neighbours is weak.
"""

from __future__ import annotations

from pathlib import Path

from .claim_worlds import FRACTIONS, make_worlds
from .claims import TOWERS, chosen, link_towers, plan, run_ready, run_rows
from .paired import DECISIVE_SEEDS, Comparison, Question
from .study import Run

CONFIGS = 'configs/toy/claim_depth'
SCORE = 'depth/abs_rel'
RANGES = ('0-10m', '10-20m', '20-30m', '30-40m', '40-60m', '60-80m')
METRICS = (
    SCORE,
    'depth/a1',
    'depth/moving/abs_rel',
    'depth/static/abs_rel',
    *(f'depth/{metres}/abs_rel' for metres in RANGES),
    'textures/depth/abs_rel',
    'high/depth/abs_rel',
)
DECISIVE_FRACTIONS = (10, 100)
MARGIN = 0.003
SEEDS = tuple(range(DECISIVE_SEEDS))

DISTANCE = (f'model.encoder.clip.pretrained={TOWERS}/depth/clip_distance.pth',)
PLAIN = (f'model.encoder.clip.pretrained={TOWERS}/depth/clip_plain.pth',)
DINO = (f'model.encoder.dino.pretrained={TOWERS}/depth/dino.pth',)
#: Config, weights of the towers, and the stage 1 that they start from, if any.
RECIPES: dict[str, tuple[str, tuple[str, ...], str | None]] = dict(
    resnet18=('resnet18', (), None),
    dino=('dino', DINO, None),
    clip=('clip', DISTANCE, None),
    notext=('notext', DISTANCE + DINO, None),
    notext_random=('notext', (), None),
    text=('both', DISTANCE + DINO, None),
    stages=('both', DISTANCE + DINO, 'stage1'),
    stages_plain=('both', PLAIN + DINO, 'stage1_plain'),
    stages_random=('both', (), 'stage1_random'),
)
STAGE_1 = {stage: weights for _, weights, stage in RECIPES.values() if stage}


def _question(name: str, text: str, recipe: str, baseline: str) -> Question:
    comparisons = tuple(
        Comparison(f'{percent} % of the drives', f'{recipe}_{percent}', f'{baseline}_{percent}')
        for percent in DECISIVE_FRACTIONS
    )
    return Question(name, text, SCORE, True, MARGIN, comparisons)


QUESTIONS = (
    _question('towers', 'Do pretrained towers help depth?', 'stages', 'stages_random'),
    _question('language', 'Do sentences help depth?', 'text', 'notext'),
    _question('stage1', 'Does language alignment (stage 1) help depth?', 'stages', 'text'),
    _question('words', 'Do captions that speak of distance help?', 'stages', 'stages_plain'),
    _question('network', 'Is the complete method better than a ResNet-18?', 'stages', 'resnet18'),
)
DECISIVE = ('stages', 'stages_random', 'text', 'notext', 'stages_plain', 'resnet18')

#: Candidate factors of the towers' learning rate, and the recipes that choose one.
RATES = (1.0, 0.1)
CHOICES = dict(pretrained='notext', random='notext_random')
CHOICE_PERCENT = 30

#: Seconds of CPU time per iteration of one thread (AMD EPYC, 2026-11-28, beside other jobs), and of
#: start and three evaluations.
STEP_SECONDS = dict(both=0.32, notext=0.31, clip=0.24, dino=0.23, resnet18=0.22, stage1=0.3)
ITERATIONS = dict(stage1=200)
DEFAULT_ITERATIONS, OVERHEAD_SECONDS = 800, 45


def tested(world: str) -> tuple[str, ...]:
    """Options that evaluate on a world."""
    root = f'{{study}}/worlds/{world}'
    return (
        f'test_dataloader.dataset.data_root={root}',
        f'test_dataloader.dataset.split={root}_truth/files.txt',
        f'test_evaluator.truth={root}_truth',
    )


def _rate(recipe_or_stage: str, rates: dict[str, float | None]) -> tuple[str, ...] | None:
    """Options of the towers' learning rate; None if it is not chosen yet."""
    if recipe_or_stage == 'resnet18':
        return ()
    rate = rates['random' if recipe_or_stage.endswith('random') else 'pretrained']
    if rate is None:
        return None
    keys = 'optim_wrapper.paramwise_cfg.custom_keys'
    towers = dict(dino=('dino',), clip=('clip',)).get(recipe_or_stage, ('clip', 'dino'))
    return tuple(f'{keys}.{tower}.lr_mult={rate}' for tower in towers)


def _row(name: str, recipe: str, percent: int, seed: int, rate: tuple[str, ...], world: str) -> Run:
    config, weights, stage = RECIPES[recipe]
    start = ()
    if stage is not None:
        path = f'{{study}}/{stage}_seed{{seed}}/iter_{ITERATIONS["stage1"]}.pth'
        start = ('model.init_cfg.type=EncoderWeights', f'model.init_cfg.checkpoint={path}')
    data = (
        'train_dataloader.dataset.data_root={study}/worlds/train',
        f'train_dataloader.dataset.split={{study}}/worlds/lists/train_{percent}_seed{{seed}}.txt',
    )
    elsewhere = ()
    if world == 'scored':
        elsewhere = tuple((other, tested(other)) for other in ('textures', 'high'))
    options = (*data, *weights, *start, *rate, *tested(world))
    return Run(name, f'{CONFIGS}/claim_{config}.py', seed, options, elsewhere=elsewhere)


def choices() -> dict[str, dict[float, Run]]:
    """Choosing runs by kind of towers and candidate, tested on the choosing world alone."""
    return {
        towers: {
            rate: _row(
                f'choice_{towers}_{rate}',
                recipe,
                CHOICE_PERCENT,
                0,
                _rate(recipe, {towers: rate}),
                'choice',
            )
            for rate in RATES
        }
        for towers, recipe in CHOICES.items()
    }


def alignments(rates: dict[str, float | None]) -> list[Run]:
    """Stage 1 of every kind of towers and seed, as far as the rates are chosen."""
    lanes = ('train_dataloader.dataset.data_root={study}/worlds/lanes',)
    return [
        Run(stage, f'{CONFIGS}/claim_stage1.py', seed, (*lanes, *weights, *rate), scored=False)
        for seed in SEEDS
        for stage, weights in STAGE_1.items()
        if (rate := _rate(stage, rates)) is not None
    ]


def rows(rates: dict[str, float | None]) -> list[Run]:
    """Scored runs, as far as the rates are chosen: decisive ones first, one seed after another."""
    cells = [(r, p, seed) for seed in SEEDS for p in DECISIVE_FRACTIONS for r in DECISIVE]
    cells += [cell for p in FRACTIONS for r in RECIPES if (cell := (r, p, 0)) not in cells]
    return [
        _row(f'{recipe}_{percent}', recipe, percent, seed, rate, 'scored')
        for recipe, percent, seed in cells
        if (rate := _rate(recipe, rates)) is not None
    ]


def seconds(run: Run) -> float:
    """Expected CPU time of a run."""
    config = Path(run.config).stem.removeprefix('claim_')
    steps = ITERATIONS.get(config, DEFAULT_ITERATIONS)
    return steps * STEP_SECONDS[config] + OVERHEAD_SECONDS


def main(folder: str, towers: str | None, show_plan: bool, jobs: int) -> None:
    """Run what is not finished and whose towers exist, then write the answers."""
    study = Path(folder).resolve()
    candidates = choices()
    every = [run for runs in candidates.values() for run in runs.values()]
    if show_plan:
        some = dict.fromkeys(CHOICES, RATES[0])
        print(plan([*every, *alignments(some), *rows(some)], study, seconds))
        return
    link_towers(study, towers)
    make_worlds(study / 'worlds', SEEDS)
    run_ready(every, study, METRICS, jobs)
    rates = {kind: chosen(runs, study, SCORE, True) for kind, runs in candidates.items()}
    print("factors of the towers' learning rate:", rates, flush=True)
    run_ready(alignments(rates), study, METRICS, jobs)
    run_rows(rows(rates), every, QUESTIONS, study, METRICS, jobs)
