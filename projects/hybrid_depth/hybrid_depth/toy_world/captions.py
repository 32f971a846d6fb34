"""True captions of toy images: what is visible, and how many of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..datasets.captions import CAPTIONS, write_texts
from .labels import LabelImages
from .scene import Scene
from .surfaces import SEMANTIC_IDS

#: Pixels from which an object is mentioned.
_LEAST_PIXELS = 12
#: Share of the image from which scenery is mentioned.
_LEAST_SHARE = 0.02
_SCENERY = dict(building='buildings', tree='trees', sidewalk='sidewalks')
_NUMBERS = ('no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')


def caption(scene: Scene, labels: LabelImages) -> str:
    """Caption of an image, from its labels: "a street with two cars and a bus, between trees".

    It has classes and counts, and no distances or sizes: a depth model that reads it is told
    nothing about depth that a caption of a photograph would not tell.
    """
    pixels = np.bincount(labels.instance.ravel(), minlength=len(scene.actors) + 1)[1:]
    names = [
        actor.name for actor, n in zip(scene.actors, pixels, strict=True) if n >= _LEAST_PIXELS
    ]
    objects = [_counted(name, names.count(name)) for name in sorted(set(names))]
    shares = {name: (labels.semantic == SEMANTIC_IDS[name]).mean() for name in _SCENERY}
    scenery = [_SCENERY[name] for name, share in shares.items() if share >= _LEAST_SHARE]
    text = f'a street with {_joined(objects)}' if objects else 'an empty street'
    return f'{text}, between {_joined(scenery)}' if scenery else text


def write_captions(root: Path, captions: dict[str, str]) -> None:
    """Write ``root/captions.jsonl`` from captions by image, paths below the root."""
    write_texts({image: [text] for image, text in captions.items()}, root / CAPTIONS)


def _counted(name: str, count: int) -> str:
    name = name.replace('_', ' ')
    if count == 1:
        return f'a {name}'
    number = _NUMBERS[count] if count < len(_NUMBERS) else 'many'
    return f'{number} {name}es' if name.endswith('s') else f'{number} {name}s'


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f'{", ".join(words[:-1])} and {words[-1]}'
