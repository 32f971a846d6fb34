"""Digests of nuScenes tables in info files, by which infos of other tables are noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...digests import differences, digest
from ...files import file_name

#: Tables that info files are made from, but for attributes.
_TABLES = (
    'calibrated_sensor', 'category', 'ego_pose', 'instance', 'sample', 'sample_annotation',
    'sample_data', 'scene', 'sensor',
)  # fmt: skip
#: Larger tables of v1.0-trainval, up to 1 GB, count by their size: data sets are checked at every
#: start, and copied, which changes the times of files.
_CONTENT_LIMIT = 1 << 25  # bytes


def table_digests(tables: Path) -> dict[str, str]:
    """Digest by table; 'absent' for one that does not exist.

    Args:
        tables: folder of the tables, such as `data/nuscenes/v1.0-mini`.
    """
    return {name: _digest(tables / f'{name}.json') for name in _TABLES}


def _digest(table: Path) -> str:
    if not table.is_file():
        return 'absent'
    size = table.stat().st_size
    if size > _CONTENT_LIMIT:
        return digest(size)
    return hashlib.sha256(table.read_bytes()).hexdigest()[:16]


def changed_tables(metainfo: Mapping[str, Any], root: str | Path) -> str | None:
    """Sentence on tables that have changed since an info file was made from them.

    Args:
        metainfo: of the info file.
        root: nuScenes root.

    Returns:
        None if there is no change, the root has no tables, or the file does not tell.
    """
    held, tables = metainfo.get('tables'), Path(root, file_name(metainfo.get('version')))
    if not isinstance(held, dict) or not tables.is_dir():
        return None
    changed = differences(held, table_digests(tables))
    if not changed:
        return None
    return (
        f'was made from other tables than {tables} has now: {", ".join(changed)}. Make it again: '
        f'hybrid-depth create-nuscenes-infos --root {root} --version {tables.name}'
    )
