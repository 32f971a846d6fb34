"""Checks that validation and test have no random augmentation."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from ..config_errors import paths_of
from ..findings import NotCheckedError, fault
from .case import Case

TEST_PARTS = ('val_dataloader', 'test_dataloader')
# Transforms of this project, mmdet3d and mmdet that draw random numbers at their defaults.
_RANDOM = frozenset(
    'AffineFrames AugmentTriplet BEVAugmentation FlipFrames GlobalRotScaleTrans JitterFrames '
    'ObjectNoise ObjectSample PhotoMetricDistortion PhotoMetricDistortion3D RandomCrop RandomFlip '
    'RandomFlip3D RandomJitterPoints RandomResize'.split()
)


def check_test_transforms(cfg: Config, parts: tuple[str, ...] = TEST_PARTS) -> str:
    """Look for random transforms by name in the pipelines of validation and test.

    Raises:
        ConventionError: there is one.
    """
    for part in parts:
        for path, transform in paths_of(cfg.get(part), 'type'):
            kind = str(transform['type']).rsplit('.', 1)[-1]
            drawn = kind == 'ImageAugmentation' and transform.get('random')
            if kind in _RANDOM or drawn:
                raise fault(
                    f'{part} without random augmentation',
                    f'{kind}{"(random=True)" if drawn else ""} ({part}.{path})',
                    'set random=False' if drawn else 'use the transform in training only',
                )
    return 'no random transform'


def check_repeatability(case: Case) -> str:
    """Load the first sample of validation and test twice, with other random numbers.

    Raises:
        ConventionError: a random transform, by name or because the samples differ.
    """
    check_test_transforms(case.cfg)
    tested = [name for name in case.datasets if name in TEST_PARTS]
    if not tested:
        raise NotCheckedError('no test data')
    for part in tested:
        samples = []
        for seed in (0, 1):
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            samples.append(case.sample(part))
        if not _same(samples[0], samples[1]):
            raise fault(
                f'the same sample of {part} each time',
                'other values the second time',
                'remove the random transform from its pipeline',
            )
    return 'samples are the same each time'


def _same(first: Any, second: Any) -> bool:
    """Whether all tensors and arrays of two samples are equal."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    return True
