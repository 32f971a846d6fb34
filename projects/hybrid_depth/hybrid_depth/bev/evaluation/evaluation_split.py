"""Samples of an evaluation split, by the info file alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

from ...config_errors import nearest
from ...datasets.nuscenes.names import INFO_VERSION, InfoError

_DEFAULTS = {'v1.0-mini': 'mini_val', 'v1.0-trainval': 'val', 'v1.0-test': 'test'}
ONE_SPLIT = (
    'Use the info file and the eval_split of one split; to evaluate part of a split, set '
    'eval_split to the list of its scene names.'
)


def default_split(version: str) -> str:
    """The validation split of a version of nuScenes."""
    return _DEFAULTS[version]


def scenes_of_split(split: str | Sequence[str], root: str | Path, version: str) -> set[str]:
    """Scene names of a split.

    Args:
        split: a split of the devkit, one of the root's ``splits.json``, or scene names.
        root, version: where ``splits.json`` may be.

    Raises:
        InfoError: unknown split.
    """
    if not isinstance(split, str):
        return set(split)
    from nuscenes.utils.splits import create_splits_scenes, get_scenes_of_split

    try:
        return set(get_scenes_of_split(split, SimpleNamespace(dataroot=root, version=version)))
    except (AssertionError, FileNotFoundError, KeyError, ValueError) as error:
        known = [*create_splits_scenes()]
        raise InfoError(
            f'expected eval_split among {", ".join(known)}, or one of '
            f'{root}/{version}/splits.json, got {split!r}{nearest(split, known)}'
        ) from error


def require_scenes(scenes: set[str], known: Collection[str], split: object, where: str) -> None:
    """Raise InfoError unless some of the scenes are known.

    Args:
        scenes: of the split.
        known: names of the scenes of the root.
        split, where: for the error.
    """
    if not scenes & set(known):
        raise InfoError(
            f'expected eval_split to name scenes of {where}, got {split}, which has none of its '
            f'scenes ({", ".join(sorted(known)[:5])}, ...)'
        )


def split_tokens(
    content: Mapping, split: str | Sequence[str] | None, root: str | Path, source: str | Path
) -> list[str]:
    """Sample tokens of a split, in the order of the info file.

    Args:
        content: of the info file.
        split: as in `scenes_of_split`; None for the validation split of the file's version, or for
            all samples of data that are not nuScenes.
        root: data set, for its ``splits.json``.
        source: info file, for errors.

    Raises:
        InfoError: unknown split, or the file lacks samples or boxes of it.
    """
    meta, infos = content['metainfo'], content['data_list']
    if meta.get('dataset') != 'nuscenes' and split is None:
        chosen = infos
    else:
        version = meta.get('version', '')
        split = split or default_split(version)
        scenes = scenes_of_split(split, root, version)
        names = [info.get('scene_name', info.get('scene_token', '')) for info in infos]
        if meta.get('dataset') == 'nuscenes' and 'scenes' not in meta:
            raise old_info_file(meta, source)
        counts = meta.get('scenes', dict.fromkeys(names, 0))  # of all scenes of the root
        require_scenes(scenes, counts, split, f'{root}/{version}')
        chosen = [info for info, name in zip(infos, names, strict=True) if name in scenes]
        expected = sum(number for name, number in counts.items() if name in scenes)
        if len(chosen) < expected:
            raise InfoError(
                f'expected the {expected} samples of eval_split={split!r} in {source}, got '
                f'{len(chosen)} of them; {ONE_SPLIT}'
            )
    if not any(info.get('instances') for info in chosen):
        raise InfoError(
            f'expected annotated boxes in {source}, got none ({meta.get("version")}). Set '
            'format_only=True and jsonfile_prefix, to write predictions only'
        )
    return [info['token'] for info in chosen]


def old_info_file(meta: Mapping, source: str | Path) -> InfoError:
    """Error for an info file of nuScenes without what the benchmark reads."""
    return InfoError(
        f'{source}: expected info_version {INFO_VERSION}, with the boxes that are evaluated, got '
        f'{meta.get("info_version")}; make it again with: hybrid-depth create-nuscenes-infos '
        "--root ROOT --version VERSION; or use the devkit and its tables, with the metric's "
        "type='NuScenesBEVMetric'"
    )


def check_coverage(tokens: Sequence[str], predicted: Sequence[str], split: object) -> None:
    """Raise InfoError unless exactly the samples of the split are predicted."""
    absent, extra = set(tokens) - set(predicted), set(predicted) - set(tokens)
    if absent or extra or len(set(predicted)) < len(predicted):
        raise InfoError(
            f'expected predictions for exactly the {len(tokens)} samples of eval_split={split!r}, '
            f'got {len(predicted)}: {len(absent)} are missing, {len(extra)} are of other scenes. '
            f'{ONE_SPLIT}'
        )
