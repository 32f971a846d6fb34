"""Does better depth help boxes, and do foundation towers? Toy detectors, equal iterations.

Said before the runs (rules of a verdict: `paired`):

- Rows are DETECTOR_SUPERVISION_ENCODER: BEVDet or FB-BEV; depth supervised by nothing, LiDAR, a
  self-supervised model (pseudo) or both; the encoder of the hybrid depth net random, of pretrained
  towers, or after both stages of depth training, from pretrained towers too. Seed s of every row
  has the same order of samples.
- Decisive: the comparisons of `QUESTIONS`, BEVDet, five seeds each, by mAP on the scored world,
  whose scenes nothing else uses. An improvement below 0.01 does not matter. Other rows have one
  seed and decide nothing.
- One depth model is trained, and all seeds share its labels and its encoder, so that the intervals
  do not contain the differences between depth models.
- One thing is chosen, on the scenes of the choosing world alone: the factor of the learning rate of
  towers that are not random.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.files import atomic_file
from hybrid_depth.toy_world import make_toy_world

from .bev_depth import LOADER, TEACHER, teacher_error
from .claims import TOWERS, chosen, link_towers, plan, run_ready, run_rows
from .paired import DECISIVE_SEEDS, Comparison, Question
from .study import REPOSITORY, Run

MAP = 'NuScenes metric/pred_instances_3d_NuScenes/mAP'
RANGES = ('0-10m', '10-20m', '20-30m', '30-40m', '40-60m')
METRICS = (
    MAP,
    'NuScenes metric/pred_instances_3d_NuScenes/NDS',
    'NuScenes metric/depth/abs_rel',
    *(f'NuScenes metric/depth/{metres}/abs_rel' for metres in RANGES),
)
MARGIN = 0.01
SEEDS = tuple(range(DECISIVE_SEEDS))
TRAIN_SEED, CHOICE_SEED, SCORED_SEED = 401, 402, 403
_WORLD = dict(size=(256, 144), scenes=10)
#: Arguments of `make_toy_world`. Training has the video that the depth model needs. The first eight
#: scenes of each are used, as the training scenes of its info files.
WORLDS: dict[str, dict[str, Any]] = dict(
    train=dict(_WORLD, keyframes=16, sweeps=5, seed=TRAIN_SEED),
    choice=dict(_WORLD, keyframes=8, seed=CHOICE_SEED),
    scored=dict(_WORLD, keyframes=8, seed=SCORED_SEED),
)
INFOS = 'nuscenes_infos_train.pkl'

DETECTORS = dict(bevdet='depth_supervision', fbbev='claim_bev')
SUPERVISIONS = ('none', 'lidar', 'pseudo', 'both')
ENCODERS = ('random', 'towers', 'stages')
EPOCHS = 10

_NET = 'model.img_view_transformer.depth_net.encoder.encoder'
CHECKPOINT = '{study}/teacher_seed0/epoch_3.pth'
PSEUDO_DEPTH = '{study}/pseudo_depth'
WEIGHTS: dict[str, tuple[str, ...]] = dict(
    random=(),
    towers=(
        f'{_NET}.clip.pretrained={TOWERS}/bev/clip_distance.pth',
        f'{_NET}.dino.pretrained={TOWERS}/bev/dino.pth',
    ),
    stages=(
        'model.init_cfg.type=EncoderWeights',
        'model.init_cfg.part=img_view_transformer.depth_net',
        f'model.init_cfg.checkpoint={CHECKPOINT}',
    ),
)


def _question(name: str, text: str, *pairs: tuple[str, str, str]) -> Question:
    comparisons = (Comparison(case, f'bevdet_{row}', f'bevdet_{base}') for case, row, base in pairs)
    return Question(name, text, MAP, False, MARGIN, tuple(comparisons))


QUESTIONS = (
    _question(
        'boxes_supervision',
        'Does depth supervision help boxes?',
        ('LiDAR', 'lidar_random', 'none_random'),
        ('self-supervised model', 'pseudo_random', 'none_random'),
    ),
    _question(
        'boxes_encoder',
        'Does a trained encoder help boxes?',
        ('both stages, no depth supervision', 'none_stages', 'none_random'),
        ('both stages, LiDAR', 'lidar_stages', 'lidar_random'),
        ('towers, LiDAR', 'lidar_towers', 'lidar_random'),
    ),
    _question(
        'boxes_both',
        'Does the self-supervised model help boxes beside LiDAR?',
        ('where LiDAR has no points', 'both_random', 'lidar_random'),
    ),
)
DECISIVE = tuple(dict.fromkeys(row for question in QUESTIONS for row in question.rows))

#: Candidate factors of the learning rate of trained towers, chosen with LiDAR.
RATES = (1.0, 0.1)

#: Seconds of CPU time of one thread (AMD EPYC, 2026-11-28, beside other jobs): per step of a
#: detector, of its start and evaluation; minutes of the depth model's two stages as measured in
#: 2026-11-22's study.
STEP_SECONDS, OVERHEAD_SECONDS = 0.25, 60
TEACHER_MINUTES = dict(stage1=8, teacher=30)


def tested(world: str) -> tuple[str, ...]:
    """Options that evaluate on a world."""
    root = f'{{study}}/worlds/{world}'
    return (
        f'test_dataloader.dataset.data_root={root}/',
        f'test_dataloader.dataset.ann_file={INFOS}',
        f'test_evaluator.data_root={root}/',
        f'test_evaluator.ann_file={root}/{INFOS}',
        'test_evaluator.eval_split=mini_train',
        'test_evaluator.resamples=0',
    )


def teachers() -> list[Run]:
    """The two stages of the depth model, from pretrained towers."""
    data = ('train_dataloader.dataset.data_root={study}/worlds/train/',)
    towers = (
        f'model.encoder.clip.pretrained={TOWERS}/bev/clip_distance.pth',
        f'model.encoder.dino.pretrained={TOWERS}/bev/dino.pth',
    )
    start = ('model.init_cfg.checkpoint={study}/stage1_seed0/epoch_3.pth',)
    stage1 = 'configs/toy/hybrid_stage1_video_toy.py'
    return [
        Run('stage1', stage1, options=(*data, *towers), scored=False),
        Run('teacher', TEACHER, options=(*data, *towers, *start), scored=False),
    ]


def _row(
    name: str,
    detector: str,
    supervision: str,
    encoder: str,
    seed: int,
    rate: float | None,
    world: str,
) -> Run:
    options = (
        'train_dataloader.dataset.dataset.data_root={study}/worlds/train/',
        f'train_cfg.max_epochs={EPOCHS}',
        f'param_scheduler.1.T_max={EPOCHS}',
        *WEIGHTS[encoder],
        *tested(world),
    )
    if supervision in ('pseudo', 'both'):
        options += (LOADER + PSEUDO_DEPTH,)
    if encoder != 'random':
        keys = 'optim_wrapper.paramwise_cfg.custom_keys'
        options += tuple(f'{keys}.{tower}.lr_mult={rate}' for tower in ('clip', 'dino'))
    config = f'fbbev_{supervision}' if detector == 'fbbev' else supervision
    return Run(name, f'configs/toy/{DETECTORS[detector]}/{config}.py', seed, options)


def choices() -> dict[float, Run]:
    """Choosing runs by candidate, tested on the choosing world alone."""
    return {
        rate: _row(f'choice_{rate}', 'bevdet', 'lidar', 'towers', 0, rate, 'choice')
        for rate in RATES
    }


def rows(rate: float | None, labels: bool) -> list[Run]:
    """Scored runs, decisive ones first, one seed after another.

    Args:
        rate: chosen factor; None leaves out the rows that need it.
        labels: whether the labels of the depth model exist; else the rows that need them are left
            out.
    """
    names = ['_'.join(row) for row in product(DETECTORS, SUPERVISIONS, ENCODERS)]
    cells = [(name, seed) for seed in SEEDS for name in DECISIVE]
    cells += [(name, 0) for name in names if (name, 0) not in cells]
    runs = []
    for name, seed in cells:
        detector, supervision, encoder = name.split('_')
        if (rate is None and encoder != 'random') or (
            not labels and supervision in ('pseudo', 'both')
        ):
            continue
        runs.append(_row(name, detector, supervision, encoder, seed, rate, 'scored'))
    return runs


def seconds(run: Run) -> float:
    """Expected CPU time of a run."""
    if run.name in TEACHER_MINUTES:
        return 60 * TEACHER_MINUTES[run.name]
    samples = 8 * WORLDS['train']['keyframes']
    return EPOCHS * samples * STEP_SECONDS + OVERHEAD_SECONDS


def make_worlds(folder: Path, workers: int = 1) -> None:
    """Make the worlds and their info files, as far as they do not exist."""
    for name, options in WORLDS.items():
        root = make_toy_world(folder / name, workers=workers, keep=True, **options)
        if not (root / INFOS).exists():
            create_nuscenes_infos(root, 'v1.0-mini')


def make_labels(study: Path) -> bool:
    """Depth labels of the depth model, once it is trained; whether they exist."""
    checkpoint, cache = CHECKPOINT.format(study=study), PSEUDO_DEPTH.format(study=study)
    record, infos = study / 'teacher.json', study / 'worlds' / 'train' / INFOS
    if not Path(checkpoint).is_file():
        return False
    if not record.is_file():
        tool = str(REPOSITORY / 'tools' / 'make_pseudo_depth.py')
        command = [sys.executable, tool, TEACHER, checkpoint, '--infos', str(infos), '--out', cache]
        subprocess.run(command, cwd=REPOSITORY, check=True)
        with atomic_file(record, 'w') as file:
            json.dump(teacher_error(infos, cache), file, indent=2)
    return True


def main(folder: str, towers: str | None, show_plan: bool, jobs: int) -> None:
    """Run what is not finished and whose towers exist, then write the answers."""
    study = Path(folder).resolve()
    candidates = choices()
    if show_plan:
        every = [*candidates.values(), *teachers(), *rows(RATES[0], labels=True)]
        print(plan(every, study, seconds))
        return
    link_towers(study, towers)
    make_worlds(study / 'worlds')
    run_ready(list(candidates.values()), study, METRICS, jobs)
    for run in teachers():
        run_ready([run], study, METRICS, jobs=1)
    rate, labels = chosen(candidates, study, MAP, False), make_labels(study)
    print("factor of the towers' learning rate:", rate, flush=True)
    every = list(candidates.values())
    run_rows(rows(rate, labels), every, QUESTIONS, study, METRICS, jobs)
