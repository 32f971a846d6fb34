"""Intrinsics in the files of ROS (camera_info), nerfstudio (transforms.json) and KITTI.

Fields:
github.com/ros/common_msgs, sensor_msgs/msg/CameraInfo.msg;
github.com/nerfstudio-project/nerfstudio, docs/quickstart/data_conventions.md
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..datasets.kitti.calibration import read_calibration_file
from ..text_files import read_json
from .errors import RigError
from .fields import number, numbers, read_yaml
from .lens import COEFFICIENTS, Lens

_ROS_MODELS = dict(
    plumb_bob='radial', rational_polynomial='radial', equidistant='fisheye', fisheye='fisheye'
)
_NERF_MODELS = dict(OPENCV='radial', PINHOLE='radial', SIMPLE_PINHOLE='radial',
                    OPENCV_FISHEYE='fisheye')  # fmt: skip


class Intrinsics(NamedTuple):
    """Calibration of a camera.

    Attributes:
        matrix: (3, 3) pixels.
        size: (width, height) that it belongs to; None if the file does not say.
        lens: distortion; None if there is none.
    """

    matrix: np.ndarray
    size: np.ndarray | None
    lens: Lens | None


def read_intrinsics(path: Path, entry: str | None, where: str) -> Intrinsics:
    """Intrinsics of a file, by its ending.

    Args:
        path: .yaml of ROS camera_info, transforms.json of nerfstudio, or calib*.txt of KITTI.
        entry: projection in KITTI's file, such as P_rect_02 or P2; images are rectified.
        where: camera, for errors.

    Raises:
        FileNotFoundError: no such file.
        DamagedFileError: it does not read.
        RigError: a field is missing, or a distortion model that is not supported.
    """
    if path.suffix in ('.yaml', '.yml'):
        return _ros(read_yaml(path), f'{where}, {path}')
    if path.suffix == '.json':
        return _nerfstudio(read_json(path), f'{where}, {path}')
    if path.suffix == '.txt':
        return _kitti(path, entry, where)
    raise RigError(
        f'{where}: expected calibration: as .yaml (ROS camera_info), .json (nerfstudio '
        f'transforms.json) or .txt (KITTI), got {path}'
    )


def _ros(content: Mapping[str, Any], where: str) -> Intrinsics:
    """Both the files of camera_calibration and the printed messages of ROS 1 and 2."""

    def field(*names: str) -> Any:
        value = next((content[name] for name in names if name in content), None)
        if value is None:
            raise RigError(
                f'{where}: expected a field {" or ".join(names)} of camera_info, got '
                f'{", ".join(map(str, content))}'
            )
        return value['data'] if isinstance(value, Mapping) and 'data' in value else value

    matrix = numbers(field('camera_matrix', 'K', 'k'), (9,), f'{where}, K').reshape(3, 3)
    size = numbers([field('image_width', 'width'), field('image_height', 'height')], (2,), where)
    model = field('distortion_model')
    flat = np.asarray(field('distortion_coefficients', 'D', 'd'), np.float64).ravel()
    if model not in _ROS_MODELS:
        raise RigError(
            f'{where}: expected a distortion_model among {", ".join(_ROS_MODELS)}, got {model!r}'
        )
    return Intrinsics(matrix, size, _lens(_ROS_MODELS[model], flat, where))


def _nerfstudio(content: Mapping[str, Any], where: str) -> Intrinsics:
    model = content.get('camera_model', 'OPENCV')
    if model not in _NERF_MODELS:
        raise RigError(
            f'{where}: expected a camera_model among {", ".join(_NERF_MODELS)}, got {model!r}'
        )
    values = {}
    for key in ('fl_x', 'fl_y', 'cx', 'cy', 'w', 'h'):
        values[key] = number(content.get(key), f'{where}, {key} (one camera for all frames)', 0)
    matrix = np.array(
        [[values['fl_x'], 0, values['cx']], [0, values['fl_y'], values['cy']], [0, 0, 1.0]]
    )
    matrix[:2, 2] -= 0.5  # nerfstudio counts from the corner of the first pixel, we from its centre
    fisheye = _NERF_MODELS[model] == 'fisheye'
    names = ('k1', 'k2', 'k3', 'k4') if fisheye else ('k1', 'k2', 'p1', 'p2', 'k3')
    flat = np.array([number(content.get(name, 0.0), f'{where}, {name}') for name in names])
    size = np.array([values['w'], values['h']])
    return Intrinsics(matrix, size, _lens(_NERF_MODELS[model], flat, where))


def _kitti(path: Path, entry: str | None, where: str) -> Intrinsics:
    found = read_calibration_file(path)
    projections = {name: row for name, row in found.items() if name[:1] == 'P' and row.size == 12}
    if entry not in projections:
        raise RigError(
            f'{where}: expected entry: among {", ".join(projections) or "P... of 12 numbers"} of '
            f'{path}, got {entry!r}'
        )
    return Intrinsics(projections[entry].reshape(3, 4)[:, :3], None, None)


def _lens(model: str, flat: np.ndarray, where: str) -> Lens | None:
    if not np.any(flat):
        return None
    if flat.size not in COEFFICIENTS[model] or not np.isfinite(flat).all():
        raise RigError(
            f'{where}: expected {" or ".join(map(str, COEFFICIENTS[model]))} coefficients of '
            f'{model} distortion, got {flat.tolist()}'
        )
    return Lens(model, tuple(flat.tolist()))
