"""nuScenes tables, checked as the devkit reads them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from nuscenes import NuScenes

from ...text_files import read_json
from .names import InfoError

_Check = Callable[[list], bool]
_NUMBERS = {int, float}


def _all(*types: type) -> _Check:
    return lambda column: set(map(type, column)) <= set(types)


def _vectors(length: int) -> _Check:
    def check(column: list) -> bool:
        return (
            set(map(type, column)) <= {list}
            and set(map(len, column)) <= {length}
            and set(map(type, chain.from_iterable(column))) <= _NUMBERS
        )

    return check


def _cameras(column: list) -> bool:
    rows = [matrix for matrix in column if matrix != []]  # of LiDAR and radar
    square = _all(list)(rows) and set(map(len, rows)) <= {3}
    return square and _vectors(3)(list(chain.from_iterable(rows)))


_TEXT, _NUMBER, _INTEGER, _FLAG = (
    ('text', _all(str)),
    ('a number', _all(int, float)),
    ('an integer', _all(int)),
    ('true or false', _all(bool)),
)
_VECTOR, _QUATERNION = ('three numbers', _vectors(3)), ('four numbers', _vectors(4))
_COLUMNS = {
    'category': dict(name=_TEXT),
    'attribute': dict(name=_TEXT),
    'sensor': dict(channel=_TEXT, modality=_TEXT),
    'calibrated_sensor': dict(
        translation=_VECTOR,
        rotation=_QUATERNION,
        camera_intrinsic=('a 3x3 matrix, or [] if it is no camera', _cameras),
    ),
    'ego_pose': dict(translation=_VECTOR, rotation=_QUATERNION),
    'scene': dict(name=_TEXT),
    'sample': dict(timestamp=_NUMBER),
    'sample_data': dict(
        timestamp=_NUMBER, is_key_frame=_FLAG, filename=_TEXT, width=_INTEGER, height=_INTEGER
    ),
    'sample_annotation': dict(
        translation=_VECTOR,
        size=_VECTOR,
        rotation=_QUATERNION,
        num_lidar_pts=_INTEGER,
        num_radar_pts=_INTEGER,
        attribute_tokens=('a list', _all(list)),
    ),
    'map': dict(filename=_TEXT, log_tokens=('a list', _all(list))),
}
# column -> the table of its token; with '?' it may be empty
_LINKS = {
    'instance': dict(category_token='category'),
    'calibrated_sensor': dict(sensor_token='sensor'),
    'sample': dict(scene_token='scene'),
    'sample_data': dict(
        sample_token='sample',
        ego_pose_token='ego_pose',
        calibrated_sensor_token='calibrated_sensor',
        prev='sample_data?',
        next='sample_data?',
    ),
    'sample_annotation': dict(
        sample_token='sample',
        instance_token='instance',
        prev='sample_annotation?',
        next='sample_annotation?',
    ),
}
_REMEDY = 'Unpack or convert the tables again.'


class CheckedNuScenes(NuScenes):
    """nuScenes devkit whose tables have the columns, types and links that this package reads.

    Args:
        root: nuScenes root.
        version: folder of the tables in it.

    Raises:
        FileNotFoundError: no such table.
        DamagedFileError: a table that is not JSON.
        InfoError: a row without a column, with a value of another type, or with the token of a row
            that does not exist; the text names table and row.
    """

    def __init__(self, root: str | Path, version: str) -> None:
        super().__init__(version=version, dataroot=str(root), verbose=False)

    def __load_table__(self, table_name: str) -> list[dict]:
        path = Path(self.table_root, f'{table_name}.json')
        rows = read_json(path, list)
        if not _all(dict)(rows):
            raise InfoError(f'{path}: expected a list of rows, got other entries. {_REMEDY}')
        columns = {'token': _TEXT, **_COLUMNS.get(table_name, {})}
        columns.update(dict.fromkeys(_LINKS.get(table_name, {}), _TEXT))
        for name, (kind, check) in columns.items():
            _check_column(rows, name, kind, check, path)
        tokens = {row['token'] for row in rows}
        if len(tokens) < len(rows):
            raise InfoError(
                f'{path}: expected a token per row, got {len(tokens)} tokens in {len(rows)} rows. '
                f'{_REMEDY}'
            )
        if table_name == 'map' and not rows:
            raise InfoError(f'{path}: expected a row per map, got none. {_REMEDY}')
        return rows

    def __make_reverse_index__(self, verbose: bool) -> None:
        tokens = {name: {row['token'] for row in getattr(self, name)} for name in self.table_names}
        for name, links in _LINKS.items():
            for column, target in links.items():
                known = tokens[target.rstrip('?')] | ({''} if target.endswith('?') else set())
                row = next((r for r in getattr(self, name) if r[column] not in known), None)
                if row is not None:
                    raise InfoError(
                        f'{self.table_root}/{name}.json, {row["token"]}: expected as {column} a '
                        f'token of {target.rstrip("?")}.json, got {row[column]!r}, which is none. '
                        f'{_REMEDY}'
                    )
        super().__make_reverse_index__(verbose)


def _check_column(rows: list[dict], name: str, kind: str, check: _Check, path: Path) -> None:
    try:
        column = [row[name] for row in rows]
    except KeyError:
        index = next(index for index, row in enumerate(rows) if name not in row)
        raise InfoError(
            f'{path}: expected {name} in every row, got row {index} with '
            f'{", ".join(map(str, rows[index])) or "nothing"}. {_REMEDY}'
        ) from None
    if not check(column):
        index = next(index for index, value in enumerate(column) if not check([value]))
        raise InfoError(
            f'{path}: expected as {name} {kind}, got {_short(column[index])} in row {index}. '
            f'{_REMEDY}'
        )


def _short(value: Any) -> str:
    return f'{type(value).__name__} {str(value)[:60]!r}'
