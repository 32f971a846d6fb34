"""Check that info files have what the config needs of their newer versions."""

from __future__ import annotations

from typing import Any

from ..config_errors import paths_of
from ..findings import NotCheckedError, fault
from .case import Case


def check_info_schema(case: Case) -> str:
    """Read the data sets and look for the entries that the config needs.

    Raises:
        InfoError, DamagedFileError: another schema, see `NuScenesBEVDataset`.
        ConventionError: entries of newer info files are missing.
        NotCheckedError: no data set with an info file.
    """
    checked = [dataset for dataset in case.datasets.values() if hasattr(dataset, 'cameras')]
    for dataset in checked:
        info = dataset.get_data_info(0)
        absent = [what for what, present in _needed(case, dataset, info) if not present]
        if absent:
            raise fault(
                f'{dataset.ann_file} with {", ".join(absent)}, which this config needs',
                'an info file without',
                'make it again: hybrid-depth create-nuscenes-infos --root ROOT --version VERSION'
                + (' --lidar-sweeps N' if 'lidar_sweeps' in absent else ''),
            )
    if not checked:
        raise NotCheckedError('the config has no info files')
    return f'{len(checked)} info files have what the config needs'


def _needed(case: Case, dataset: Any, info: dict) -> list[tuple[str, bool]]:
    needed = []
    if dataset.num_adj or dataset.sequence_length is not None:
        needed += [(key, key in info) for key in ('prev', 'next', 'scene_token')]
        cameras = [info['images'][camera] for camera in dataset.cameras]
        needed.append(('ego2global of each camera', all('ego2global' in c for c in cameras)))
    sweeps = [
        transform.get('sweeps', 0)
        for _, transform in paths_of(case.cfg.get('train_dataloader'), 'type', 'LoadLidarDepth')
    ]
    if any(sweeps):
        needed.append(('lidar_sweeps', any(map(_has_sweeps, _few_infos(dataset)))))
    return needed


def _few_infos(dataset: Any) -> list[dict]:
    """The first entries; only the first of a scene has no earlier sweeps."""
    return [dataset.get_data_info(place) for place in range(min(3, len(dataset)))]


def _has_sweeps(info: dict) -> bool:
    return bool(info.get('lidar_sweeps'))
