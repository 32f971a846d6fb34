"""Small CLIP and DINO towers that know something of the toy world.

Foundation weights of the toy configs' towers: a CLIP by open_clip's contrastive loss on captioned
windows, once with captions of class and distance, once with captions that never speak of distance,
and a ViT by lightly's DINO loss. They are of the encoders of `ENCODERS` and load as foundation
weights do: `model.encoder.clip.pretrained=OUT/depth/clip_distance.pth`,
`model.encoder.dino.pretrained=OUT/depth/dino.pth`. The scenes are of no study.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hybrid_depth.digests import digest
from hybrid_depth.engine.config import read_config
from hybrid_depth.files import atomic_file
from hybrid_depth.text_files import read_json

from .study import REPOSITORY
from .tower_checks import check_box, check_clip, check_dino, table
from .tower_clip import train_clip
from .tower_crops import CAPTIONS, CropSet, Windows, make_windows, read_windows
from .tower_dino import real_frames, require_lightly, train_dino
from .tower_training import Schedule

#: Configs of the encoders: of the toy depth models and of the toy detectors.
ENCODERS = dict(
    depth='configs/_base_/models/hybrid_encoder_toy.py',
    bev='configs/_base_/models/hybrid_encoder_bev_toy.py',
)
TOWERS = (*CAPTIONS, 'dino')
CROPS = CropSet()
_KNOWN = 5000  # training windows, about, that neighbours and probes have
SCHEDULES = dict(
    clip=Schedule(steps=2000, batch=128), dino=Schedule(steps=2000, batch=32, rate=5e-4)
)


def main(
    folder: str,
    encoders: Sequence[str],
    only: Sequence[str],
    kitti: str | None,
    schedules: dict[str, Schedule] = SCHEDULES,
    crops: CropSet = CROPS,
) -> None:
    """Make the windows, train the towers that are missing, check all that exist.

    Args:
        folder: output folder; finished parts are kept and interrupted ones continued.
        encoders: keys of `ENCODERS`.
        only: the towers to train, of `TOWERS`.
        kitti: KITTI raw folder, whose frames DINO sees too, or None.
        schedules: by 'clip' and 'dino'.
        crops: the scenes.
    """
    out = Path(folder)
    if 'dino' in only:
        require_lightly()
    make_windows(crops, out / 'crops')
    train, held_out = (read_windows(crops, out / 'crops', part) for part in ('train', 'held_out'))
    print(f'{len(train)} windows to train on, {len(held_out)} held out')
    known = train.every(max(1, len(train) // _KNOWN))
    for encoder in encoders:
        (out / encoder).mkdir(exist_ok=True)
        for name in only:
            recipe = dict(crops=asdict(crops))
            _make_tower(out / encoder, name, (train, known, held_out), kitti, schedules, recipe)
        if 'dino' in only and kitti is None:
            print('DINO saw toy images alone; --kitti adds the frames of a KITTI raw folder')
    rows = _rows(out, known, held_out)
    with atomic_file(out / 'table.md', 'w') as file:
        file.write(table(rows))
    print(table(rows))


def encoder_config(encoder: str) -> dict:
    """Config of an encoder of `ENCODERS`."""
    cfg = read_config(REPOSITORY / ENCODERS[encoder])
    return (cfg.get('encoder') or cfg.model.encoder).to_dict()


def _make_tower(
    folder: Path,
    name: str,
    windows: tuple[Windows, Windows, Windows],
    kitti: str | None,
    schedules: dict[str, Schedule],
    recipe: dict,
) -> None:
    """Train a tower on the first windows and check it with the others; its scores are written last
    and mark it as finished."""
    scores_file, weights = folder / f'{name}.json', folder / f'{name}.pth'
    if scores_file.is_file():
        return
    kind = 'dino' if name == 'dino' else 'clip'
    tower, schedule = encoder_config(folder.name)[kind], schedules[kind]
    recipe['tower'] = digest(json.dumps(tower, sort_keys=True))
    train, *others = windows
    if kind == 'clip':
        trained = train_clip(tower, train, CAPTIONS[name], schedule, recipe, weights)
        scores = check_clip(name, tower, weights, *others)
    else:
        real = real_frames(None if kitti is None else Path(kitti))
        recipe['real_frames'] = len(real)
        trained = train_dino(tower, train, real, schedule, recipe, weights)
        scores = check_dino(tower, weights, *others)
    _write(scores_file, dict(scores, **asdict(trained), recipe={**recipe, **asdict(schedule)}))


def _rows(out: Path, known: Windows, held_out: Windows) -> dict[str, dict[str, float]]:
    """Scores of the finished towers, and beside them of random ones of their sizes."""
    rows = {'no tower: size and place of the object': check_box(known, held_out)}
    for encoder in ENCODERS:
        for name in TOWERS:
            scores_file = out / encoder / f'{name}.json'
            if not scores_file.is_file():
                continue
            kind, random = name.partition('_')[0], out / encoder / f'random_{name}.json'
            if not random.is_file():
                tower = encoder_config(encoder)[kind]
                arguments = (tower, None, known, held_out)
                found = check_dino(*arguments) if kind == 'dino' else check_clip(name, *arguments)
                _write(random, found)
            rows[f'{encoder}/{name}'] = read_json(scores_file)
            rows[f'{encoder}/{name}, random'] = read_json(random)
    return rows


def _write(path: Path, content: dict) -> None:
    with atomic_file(path, 'w') as file:
        json.dump(content, file, indent=1)
