"""Check that the data sets of a config exist, with instructions for missing ones."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from ..errors import HybridDepthError

_INFOS = 'hybrid-depth create-nuscenes-infos --root {root} --version {version}'
_TOY = 'hybrid-depth make-toy-world {root}'
_LINK = 'or link it: ln -s /where/it/is {root}'
_RIG = (
    'hybrid-depth rig import RIG.yaml --out {root} (docs/own_vehicle.md; val: names the drives of '
    'rig_infos_val.pkl)'
)
# (pattern of the data root's path, how to get the folder, how to make its annotation files)
_ADVICE = [
    (
        r'toy_kitti',
        _TOY + ' --layout kitti',
        'hybrid-depth prepare-kitti export-gt {root} {root}/gt/toy --split '
        'splits/toy/val_files.txt --source improved',
    ),
    (r'toy_(lanes|tusimple)', _TOY + ' --layout tusimple', None),
    (r'toy_video', _TOY + ' --keyframes 16 --sweeps 5 --size 256x144', None),
    (r'toy', _TOY + ' --keyframes 16 --size 256x144', _INFOS),
    (
        r'nuscenes',
        'download nuScenes {version} (free account, https://www.nuscenes.org/nuscenes#download), '
        'unpack it so that {root}/samples, {root}/sweeps and {root}/{version} exist; ' + _LINK,
        _INFOS,
    ),
    (
        r'kitti',
        'download KITTI raw, synced and rectified with calibration '
        '(https://www.cvlibs.net/datasets/kitti/raw_data.php), unpack it so that '
        '{root}/2011_09_26/calib_cam_to_cam.txt exists; ' + _LINK,
        'hybrid-depth prepare-kitti check {root}',
    ),
    (
        r'tusimple',
        'download the lane detection set of TuSimple '
        '(https://github.com/TuSimple/tusimple-benchmark), unpack it so that {root}/clips '
        'exists; ' + _LINK,
        'cat {root}/label_data_*.json > {root}/train_label_data.json',
    ),
]


class DatasetMissingError(HybridDepthError, FileNotFoundError):
    """A folder or file that the config's data set needs does not exist."""


class ClassOrderError(HybridDepthError, ValueError):
    """Different order of classes in a detector's head and its data set."""


def innermost_datasets(node: object) -> Iterator[dict]:
    """Innermost data set configs in a data loader or evaluator config, in their order."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from innermost_datasets(item)
    elif isinstance(node, dict):
        inner = [node[key] for key in ('dataset', 'datasets') if key in node]
        if inner:
            yield from innermost_datasets(inner)
        elif 'data_root' in node or 'ann_file' in node:
            yield node


def _advice(root: str, annotations: Path, version: str) -> str:
    """Instructions for a missing data set: commands or downloads, line by line."""
    out = annotations.parent
    beside = out.absolute() == Path(root).absolute()
    if annotations.name.startswith('rig_infos'):
        return f'To get it:\n  1. {_RIG.format(root=root)}'
    for pattern, get_folder, then in _ADVICE:
        if re.search(pattern, root.lower()):
            elsewhere = f' --out {out}' if then == _INFOS and not beside else ''
            steps = [] if then is None else [then + elsewhere]
            if not Path(root).exists():
                steps.insert(0, get_folder)
            lines = [step.format(root=root.rstrip('/'), version=version) for step in steps]
            return 'To get it:\n' + '\n'.join(f'  {i}. {line}' for i, line in enumerate(lines, 1))
    return 'See data/README.md, or set another path with --cfg-options.'


def head_classes(cfg: Config) -> list[str] | None:
    """Classes of the detection head in their order; None for models without one."""
    head = cfg.get('model', {}).get('pts_bbox_head')
    return head and [name for task in head['tasks'] for name in task['class_names']]


def _check_classes(cfg: Config, part: str, dataset: dict) -> None:
    """Check that head and data set have the same class order, on which labels depend."""
    expected = head_classes(cfg)
    if expected is None:
        return
    from mmdet3d.registry import DATASETS  # depth models do not need mmdet3d

    known = getattr(DATASETS.get(dataset['type']), 'METAINFO', {})
    classes = list({**known, **dataset.get('metainfo', {})}.get('classes', expected))
    if expected != classes:
        raise ClassOrderError(
            f'{part} expected the classes of the head in their order, {", ".join(expected)}, got '
            f'{", ".join(classes)}; set both alike: metainfo=dict(classes=...) of the data set, '
            'class_names of the tasks'
        )


def check_datasets(cfg: Config, parts: tuple[str, ...]) -> None:
    """Check that the folders and annotation files of a config exist.

    Args:
        cfg: complete config.
        parts: names of the data loaders and evaluators to check, such as 'train_dataloader';
            absent ones are skipped.

    Raises:
        DatasetMissingError: a folder or file is missing; the text has instructions.
        ClassOrderError: the head's tasks have other classes than the data set, or another order.
    """
    for part in parts:
        for dataset in innermost_datasets(cfg.get(part)):
            root = dataset.get('data_root') or ''
            annotations = dataset.get('ann_file') or ''
            is_metric = part.endswith('evaluator')  # metrics have the full path of their file
            if not is_metric:
                _check_classes(cfg, part, dataset)
            required = [
                Path(root),
                Path(annotations if is_metric else os.path.join(root, annotations)),
            ]
            missing = next((path for path in required if not path.exists()), None)
            if missing is not None:
                version = dataset.get('metainfo', {}).get('version', 'v1.0-trainval')
                kind = 'data folder' if missing == required[0] else 'annotation file'
                raise DatasetMissingError(
                    f'{part} expected the {kind} {missing}, but {missing.absolute()} does not '
                    f'exist.\n{_advice(root, required[1], version)}'
                )
