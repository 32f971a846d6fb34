"""Conditions of a robustness report, and the config that tests under one of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmengine.config import Config

from ..doctor.datasets import innermost_datasets
from ..errors import ConfigError
from .corruptions import STRENGTHS
from .transforms import CAMERA_FAILURES, CORRUPTIONS

LOADERS = ('LoadMultiViewImages', 'LoadFrames')
#: Degrees that the extrinsics are off by.
ANGLES = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Condition:
    """One row of a report.

    Attributes:
        kind: 'clean', 'corruption', 'extrinsics' (turned cameras) or 'data' (another data root).
        name: corruption, or path of the data root.
        strength: 1 to 3, or degrees; 0 for none.
    """

    kind: str
    name: str
    strength: float = 0

    @property
    def label(self) -> str:
        """Name for people and files."""
        return f'{self.name} {self.strength:g}' if self.strength else self.name

    def as_dict(self) -> dict:
        """Fields for JSON."""
        return asdict(self)


CLEAN = Condition('clean', 'clean')


def conditions_for(
    cfg: Config,
    corruptions: Sequence[str] = CORRUPTIONS,
    strengths: Sequence[int] = STRENGTHS,
    angles: Sequence[float] = ANGLES,
    roots: Sequence[str] = (),
) -> list[Condition]:
    """Rows of a report of a config, the clean one first.

    Failing cameras and turned cameras need a rig: they are left out for models of one camera.

    Args:
        cfg: config with a test_dataloader.
        corruptions: names of `CORRUPTIONS`.
        strengths: out of 1, 2 and 3.
        angles: degrees.
        roots: other data roots, with the same files.
    """
    is_rig = _loader(_pipelines(cfg)[0]) == 'LoadMultiViewImages'
    names = [name for name in corruptions if is_rig or name not in CAMERA_FAILURES]
    return [
        CLEAN,
        *(Condition('corruption', name, strength) for name in names for strength in strengths),
        *(Condition('extrinsics', 'extrinsics', angle) for angle in (angles if is_rig else ())),
        *(Condition('data', root) for root in roots),
    ]


def config_of(cfg: Config, condition: Condition, seed: int = 0) -> Config:
    """Config that tests under a condition; the given one is unchanged.

    Corruptions come right after the images are loaded; a calibration error before packing, so that
    the ground truth is of the true calibration.

    Raises:
        ConfigError: the test pipeline loads its images in an unknown way.
    """
    cfg = copy.deepcopy(cfg)
    if condition.kind == 'data':
        _move_data(cfg, condition.name)
    for pipeline in _pipelines(cfg):
        kinds = [transform['type'] for transform in pipeline]
        if condition.kind == 'corruption':
            transform = dict(
                type='CorruptImages',
                corruption=condition.name,
                strength=condition.strength,
                seed=seed,
            )
            pipeline.insert(1 + kinds.index(_loader(pipeline)), transform)
        elif condition.kind == 'extrinsics':
            transform = dict(type='RotateCameras', angle=condition.strength, seed=seed)
            packing = [place for place, kind in enumerate(kinds) if kind.startswith('Pack')]
            pipeline.insert(packing[-1] if packing else len(kinds), transform)
    return cfg


def _pipelines(cfg: Config) -> list[list]:
    found = [d['pipeline'] for d in _test_datasets(cfg) if 'pipeline' in d]
    if not found:
        raise ConfigError(
            f'{cfg.filename}: expected a test_dataloader whose data set has a pipeline, got none'
        )
    return found


def _test_datasets(cfg: Config) -> Iterator[dict]:
    return innermost_datasets(cfg.get('test_dataloader'))


def _loader(pipeline: list) -> str:
    """Type of the transform that loads the images."""
    kinds = [transform['type'] for transform in pipeline]
    loader = next((kind for kind in kinds if kind in LOADERS), None)
    if loader is None:
        raise ConfigError(
            f'expected a test pipeline with {" or ".join(LOADERS)}, whose images can be corrupted, '
            f'got {kinds}'
        )
    return loader


def _move_data(cfg: Config, root: str) -> None:
    """Test on the data of another root; paths of the metric below the old root move along."""
    old = [str(dataset['data_root']) for dataset in _test_datasets(cfg)]
    for dataset in _test_datasets(cfg):
        for key in ('data_root', 'depth_root'):
            if key in dataset:
                dataset[key] = _moved(dataset[key], old, root)
    evaluators = cfg.test_evaluator
    for metric in evaluators if isinstance(evaluators, list | tuple) else [evaluators]:
        for key in ('data_root', 'ann_file', 'truth'):
            if metric.get(key):
                metric[key] = _moved(metric[key], old, root)


def _moved(path: str, old: list[str], root: str) -> str:
    for start in map(Path, old):
        if Path(path).is_relative_to(start):
            return str(Path(root) / Path(path).relative_to(start))
    return path
