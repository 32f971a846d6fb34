"""Sentences about the distance of a scene's objects, from embodied depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..geometry import EmbodiedDepthMap
from ..geometry.embodied_depth import Provenance
from .prompts import DEPTH_WORDS

SENTENCE = 'This object seems to be {depth} and ranks as the {rank}-th farthest in distance'
#: Distances between neighbouring words of `DEPTH_WORDS`, metres.
WORD_EDGES = (5.0, 8.0, 12.0, 20.0, 32.0, 50.0)


def object_sentences(
    embodied: EmbodiedDepthMap,
    instances: Tensor | np.ndarray,
    words: Sequence[str] = DEPTH_WORDS,
    edges: Sequence[float] = WORD_EDGES,
    least_pixels: int = 12,
    most_objects: int = 16,
) -> list[str]:
    """Sentence of every object of an image: how far, in words, and its rank among the others.

    Vision-Language Embodiment (arXiv 2503.16535; docs/reference/wordepth.md, "Vision-Language
    Embodiment"): "This object seems to be {depth} and ranks as the {r}-th farthest in distance".
    The words of {depth} are not published; ours are the seven of Hybrid-depth, between distances
    that grow by about 1.6. The distance of an object is the median of its pixels that have the
    depth of a vertical surface, so that of its contact with the ground. The only source of depth
    is an `EmbodiedDepthMap`; measured depth has none and is refused, so that a model cannot be told
    its truth.

    Args:
        embodied: embodied depth of one image, (1, 1, H, W).
        instances: (H, W) object ids, 0 = none.
        words: depth words, near to far.
        edges: distances between neighbouring words, metres, one less than words.
        least_pixels: objects with fewer pixels of vertical depth are left out.
        most_objects: so many of the largest objects are named; ranks are among them.

    Returns:
        Sentences, farthest object first.

    Raises:
        TypeError: depth without provenance.
        ValueError: another shape, or edges that do not fit the words.
    """
    if not isinstance(embodied, EmbodiedDepthMap):
        raise TypeError(
            'object_sentences: expected an EmbodiedDepthMap, depth with its provenance, got '
            f'{type(embodied).__name__}; sentences come from the embodied prior, never from '
            'measured depth'
        )
    ids = torch.as_tensor(np.asarray(instances).astype(np.int64))
    if embodied.depth.shape != (1, 1, *ids.shape) or embodied.provenance.shape != (
        1,
        1,
        *ids.shape,
    ):
        raise ValueError(
            'object_sentences: expected embodied depth (1, 1, H, W) and instances (H, W), got '
            f'{tuple(embodied.depth.shape)} and {tuple(ids.shape)}'
        )
    if len(edges) != len(words) - 1:
        raise ValueError(
            f'object_sentences: expected {len(words) - 1} edges for {len(words)} words, got '
            f'{len(edges)}'
        )
    vertical = (embodied.provenance[0, 0] == Provenance.VERTICAL) & (ids > 0)
    counts = torch.bincount(ids[vertical])
    named = torch.nonzero(counts >= least_pixels).flatten().tolist()
    largest = sorted(named, key=lambda i: (-counts[i].item(), i))[:most_objects]
    depth = embodied.depth[0, 0]
    distances = {i: depth[vertical & (ids == i)].median().item() for i in largest}
    ordered = sorted(distances.values(), reverse=True)
    return [
        SENTENCE.format(depth=words[int(np.searchsorted(edges, distance))], rank=rank)
        for rank, distance in enumerate(ordered, 1)
    ]
