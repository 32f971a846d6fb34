"""Is the data set of a config there? Asked before anything is built, answered with what to do."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from ..errors import HybridDepthError

_INFOS = 'hybrid-depth create-nuscenes-infos --root {root} --version {version}'
_TOY = 'hybrid-depth make-toy-world {root}'
_LINK = 'or link it: ln -s /where/it/is {root}'
# (pattern of the data root's path, how to get the folder, how to make what belongs into it)
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
        'unpack it so that {root}/samples, {root}/sweeps and {root}/{version} are there; ' + _LINK,
        _INFOS,
    ),
    (
        r'kitti',
        'download KITTI raw, synced and rectified with calibration '
        '(https://www.cvlibs.net/datasets/kitti/raw_data.php), unpack it so that '
        '{root}/2011_09_26/calib_cam_to_cam.txt is there; ' + _LINK,
        'hybrid-depth prepare-kitti check {root}',
    ),
    (
        r'tusimple',
        'download the lane detection set of TuSimple '
        '(https://github.com/TuSimple/tusimple-benchmark), unpack it so that {root}/clips is '
        'there; ' + _LINK,
        'cat {root}/label_data_*.json > {root}/train_label_data.json',
    ),
]


class DatasetMissingError(HybridDepthError, FileNotFoundError):
    """A folder or file that the config's data set needs does not exist."""


class ClassOrderError(HybridDepthError, ValueError):
    """The head of a detector and its data set number the classes differently."""


def _datasets(node: object) -> Iterator[dict]:
    """The innermost data set configs below a data loader or evaluator config."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from _datasets(item)
    elif isinstance(node, dict):
        inner = [node[key] for key in ('dataset', 'datasets') if key in node]
        if inner:
            yield from _datasets(inner)
        elif 'data_root' in node or 'ann_file' in node:
            yield node


def _advice(root: str, annotations: Path, version: str) -> str:
    """What to run or download, line by line."""
    out = annotations.parent
    beside = out.absolute() == Path(root).absolute()
    for pattern, get_folder, then in _ADVICE:
        if re.search(pattern, root.lower()):
            elsewhere = f' --out {out}' if then == _INFOS and not beside else ''
            steps = [] if then is None else [then + elsewhere]
            if not Path(root).exists():
                steps.insert(0, get_folder)
            lines = [step.format(root=root.rstrip('/'), version=version) for step in steps]
            return 'To get it:\n' + '\n'.join(f'  {i}. {line}' for i, line in enumerate(lines, 1))
    return 'See data/README.md, or name another place with --cfg-options.'


def _check_classes(cfg: Config, part: str, dataset: dict) -> None:
    """Labels are numbers: the head's factors of Scale-NMS and the scores depend on their order."""
    head = cfg.get('model', {}).get('pts_bbox_head')
    if head is None:
        return
    from mmdet3d.registry import DATASETS  # which depth models do without

    known = getattr(DATASETS.get(dataset['type']), 'METAINFO', {})
    wanted = [name for task in head['tasks'] for name in task['class_names']]
    held = list({**known, **dataset.get('metainfo', {})}.get('classes', wanted))
    if wanted != held:
        raise ClassOrderError(
            f'{part} expected the classes of the head in their order, {", ".join(wanted)}, got '
            f'{", ".join(held)}; give both the same: metainfo=dict(classes=...) of the data set, '
            'class_names of the tasks'
        )


def check_datasets(cfg: Config, parts: tuple[str, ...]) -> None:
    """Check that the folders and annotation files of a config exist.

    Args:
        cfg: the whole config.
        parts: its data loaders and evaluators to look at, such as 'train_dataloader'; absent ones
            are passed over.

    Raises:
        DatasetMissingError: the first folder or file that is missing, and how to get it.
        ClassOrderError: the head's tasks name other classes than the data set, or in another order.
    """
    for part in parts:
        for dataset in _datasets(cfg.get(part)):
            root = dataset.get('data_root') or ''
            annotations = dataset.get('ann_file') or ''
            is_metric = part.endswith('evaluator')  # metrics name their file by its whole path
            if not is_metric:
                _check_classes(cfg, part, dataset)
            wanted = [
                Path(root),
                Path(annotations if is_metric else os.path.join(root, annotations)),
            ]
            missing = next((path for path in wanted if not path.exists()), None)
            if missing is not None:
                version = dataset.get('metainfo', {}).get('version', 'v1.0-trainval')
                kind = 'data folder' if missing == wanted[0] else 'annotation file'
                raise DatasetMissingError(
                    f'{part} expected the {kind} {missing}, but {missing.absolute()} does not '
                    f'exist.\n{_advice(root, wanted[1], version)}'
                )
