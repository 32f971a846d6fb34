"""Description of an own vehicle in a YAML file: `rig.yaml`, see docs/own_vehicle.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..calibration_checks import check_camera
from ..datasets.image_files import image_size
from ..errors import DepthDataError
from .box_files import read_boxes
from .calibration_files import Intrinsics, read_intrinsics
from .dgp import dgp_drives
from .drive import Drive, RigCamera, RigLidar
from .errors import RigError
from .fields import entries, number, numbers, one_of, read_yaml
from .kitti import kitti_drives
from .lens import COEFFICIENTS, Lens
from .mounting import POSE_KEYS, check_mounting, read_pose, with_camera_axes
from .static_transforms import pose_in, read_transforms
from .times import find_files, in_order, times_of
from .trajectory import Trajectory, from_first, read_trajectory

_KEYS = (
    'root', 'drives', 'val', 'cameras', 'times', 'ground', 'poses', 'boxes', 'lidar', 'keyframes',
    'tolerance', 'video', 'classes', 'dgp', 'kitti', 'static_transforms', 'vehicle_frame',
)  # fmt: skip
_SENSOR_KEYS = ('files', 'times', 'frame', *POSE_KEYS)
_CAMERA_KEYS = (*_SENSOR_KEYS, 'matrix', 'size', 'distortion', 'calibration', 'entry', 'axes')
_RANGE = 50.0  # metres; of nuScenes' vehicles


@dataclass(frozen=True)
class Description:
    """A described vehicle with its drives.

    Attributes:
        source: the YAML file.
        root: folder below which paths are given.
        drives: for training, and also for validation if `val` is a fraction.
        val_drives: for validation.
        val: fraction of the last key frames of every drive that are for validation.
        classes: names, with the largest distance that is evaluated, metres; None for all names
            of the boxes.
        keyframes: 'boxes', 'lidar', a camera, or largest rate in Hz; None for the boxes' times, or
            the first camera's.
        video: largest rate of the training drives as video, Hz; None for no video.
        tolerance: largest distance in time of an image from its key frame, seconds; None for half
            of the step between the camera's images, or between key frames if that is shorter.
    """

    source: Path
    root: Path
    drives: list[Drive]
    val_drives: list[Drive]
    val: float = 0.0
    classes: Mapping[str, float] | None = None
    keyframes: str | float | None = None
    tolerance: float | None = None
    video: float | None = None


def read_description(path: str | Path) -> Description:
    """Read a description and find all files that it names.

    Raises:
        FileNotFoundError: a file of it does not exist.
        DamagedFileError: it is not YAML.
        RigError: an unknown key, or a value that does not fit; the text names it.
        DepthDataError: a matrix that is not that of a camera, or of a rotation.
    """
    path = Path(path)
    content = entries(read_yaml(path), _KEYS, str(path))
    root = (path.parent / str(content.get('root', '.'))).resolve()
    tolerance = content.get('tolerance')
    video = content.get('video')
    choices = dict(
        video=None if video is None else number(video, f'{path}, video', 0),
        classes=_classes(content.get('classes'), f'{path}, classes'),
        keyframes=content.get('keyframes'),
        tolerance=None if tolerance is None else number(tolerance, f'{path}, tolerance', 0),
    )
    if 'dgp' in content:
        return Description(path, root, *_dgp(content, root, path), **choices)
    if 'kitti' in content:
        return Description(path, root, *_kitti(content, root, path), **choices)
    names = _drive_names(root, content.get('drives'), path)
    val = content.get('val')
    held_out = [] if val is None or isinstance(val, int | float) else _texts(val, f'{path}, val')
    absent = [name for name in held_out if name not in names]
    if absent:
        raise RigError(
            f'{path}, val: expected drives among {", ".join(names)}, got {", ".join(absent)}'
        )
    drives = {name: _read_drive(root / name, name, content, path) for name in names}
    share = 0.0 if val is None or held_out else number(val, f'{path}, val', 0)
    if share >= 1:
        raise RigError(f'{path}, val: expected drives, or a fraction below 1, got {share:g}')
    return Description(
        path,
        root,
        [drive for name, drive in drives.items() if name not in held_out],
        [drives[name] for name in held_out],
        share,
        **choices,
    )


def _dgp(content: Mapping[str, Any], root: Path, path: Path) -> tuple[list[Drive], list[Drive]]:
    """Drives for training and validation of a data set in the DGP format."""
    where = f'{path}, dgp'
    _alone(content, {'val'}, where)
    spec = entries(_file_of(content['dgp']), ('file', 'cameras'), where)
    names = None if spec.get('cameras') is None else _texts(spec['cameras'], f'{where}, cameras')
    file, shift = _file(spec, root, where), _shift(content, path)
    train, val = (dgp_drives(file, split, shift, names) for split in ('train', 'val'))
    if not train:
        raise RigError(f'{file}: expected scenes of the split train (0), got none')
    return train, val


def _kitti(content: Mapping[str, Any], root: Path, path: Path) -> tuple[list[Drive], list[Drive]]:
    """Drives for training and validation of a KITTI raw tree."""
    where = f'{path}, kitti'
    _alone(content, {'ground'}, where)
    drives = {drive.name: drive for drive in kitti_drives(root / str(content['kitti']))}
    if not drives:
        raise RigError(f'{where}: expected drives with images, got none')
    names = _texts(content['val'], f'{path}, val') if 'val' in content else []
    absent = [name for name in names if name not in drives]
    if absent:
        raise RigError(
            f'{path}, val: expected drives among {", ".join(drives)}, got {", ".join(absent)}'
        )
    train = [drive for name, drive in drives.items() if name not in names]
    return train, [drives[name] for name in names]


def _alone(content: Mapping[str, Any], more: set[str], where: str) -> None:
    """Raises RigError for keys that describe what a data set describes itself."""
    beside = {'cameras', 'drives', 'times', 'poses', 'boxes', 'lidar', 'static_transforms', *more}
    found = sorted(set(content) & beside)
    if found:
        raise RigError(
            f'{where}: expected no {", ".join(found)} beside it: the data set has its own'
        )


def _shift(content: Mapping[str, Any], path: Path) -> np.ndarray:
    """(4, 4) vehicle's frame of the files to the one whose ground is at z = 0."""
    shift = np.eye(4)
    shift[2, 3] = -number(content.get('ground', 0.0), f'{path}, ground')
    return shift


def _texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(x, str | int) for x in value):
        raise RigError(f'{where}: expected a list of names, got {value!r}')
    return [str(item) for item in value]


def _drive_names(root: Path, value: Any, path: Path) -> list[str]:
    """Folders of the drives below the root; one of all files if there are none."""
    if value is None:
        return ['.']
    patterns = _texts([value] if isinstance(value, str) else value, f'{path}, drives')
    found = [sorted(p for p in root.glob(pattern) if p.is_dir()) for pattern in patterns]
    for pattern, folders in zip(patterns, found, strict=True):
        if not folders:
            raise RigError(
                f'{path}, drives: expected folders {root / pattern}, got none; give the folders '
                'of the drives below root, such as [drive_*]'
            )
    names = [folder.relative_to(root).as_posix() for folders in found for folder in folders]
    return list(dict.fromkeys(names))


def _classes(value: Any, where: str) -> dict[str, float] | None:
    """Names with ranges, from a list or from a mapping."""
    if value is None:
        return None
    if isinstance(value, list):
        return dict.fromkeys(_texts(value, where), _RANGE)
    if not isinstance(value, Mapping) or not value:
        raise RigError(f'{where}: expected names, or name: range in metres, got {value!r}')
    return {str(name): number(reach, f'{where}, {name}', 0) for name, reach in value.items()}


def _read_drive(folder: Path, name: str, content: Mapping[str, Any], path: Path) -> Drive:
    shift = _shift(content, path)
    given = content.get('cameras')
    if not isinstance(given, Mapping) or not given:
        raise RigError(f'{path}: expected cameras: with one entry per camera, got {given!r}')
    cameras = {
        str(camera): _read_camera(spec, folder, content, shift, f'{path}, cameras, {camera}')
        for camera, spec in given.items()
    }
    _check_clocks(cameras, path)
    trajectory = None
    if content.get('poses') is not None:
        trajectory = _read_poses(content['poses'], folder, cameras, shift, path)
    boxes = None
    if content.get('boxes') is not None:
        where = f'{path}, boxes'
        spec = entries(_file_of(content['boxes']), ('file', 'frame'), where)
        boxes = read_boxes(_file(spec, folder, where), spec.get('frame', 'vehicle'), -shift[2, 3])
    lidar = None
    if content.get('lidar') is not None:
        lidar = _read_lidar(content['lidar'], folder, content, shift, f'{path}, lidar')
    drive = folder.name if name == '.' else name
    return Drive(drive, cameras, trajectory, boxes, lidar)


def _file_of(value: Any) -> Any:
    return dict(file=value) if isinstance(value, str) else value


def _file(spec: Mapping[str, Any], folder: Path, where: str) -> Path:
    if not isinstance(spec.get('file'), str):
        raise RigError(f'{where}: expected file: with a path below {folder}, got {dict(spec)}')
    return folder / spec['file']


def _read_camera(
    value: Any, folder: Path, content: Mapping[str, Any], shift: np.ndarray, where: str
) -> RigCamera:
    spec = entries(value, _CAMERA_KEYS, where)
    if 'files' not in spec:
        raise RigError(f'{where}: expected files, such as front/*.jpg, got none')
    paths = find_files(folder, str(spec['files']), where)
    times = times_of(paths, spec.get('times', content.get('times', {})), folder, where)
    paths, times = in_order(paths, times, where)
    size = image_size(paths[0])
    matrix, calibrated, lens = _intrinsics(spec, folder, where)
    if calibrated is not None:
        matrix = _of_size(matrix, calibrated, size, where)
    matrix = check_camera(matrix, where, size if lens is None else None)
    _check_swapped(matrix, size, where)
    pose = _sensor_pose(spec, content, folder, where)
    pose = with_camera_axes(pose, spec.get('axes', 'camera'), where)
    cam2ego = shift @ check_mounting(pose, where)
    return RigCamera(matrix, cam2ego, paths, times, size, lens)


def _intrinsics(spec: Mapping[str, Any], folder: Path, where: str) -> Intrinsics:
    """Intrinsics given by numbers, or by a file in the folder of the drive or of the drives."""
    if one_of(spec, ('matrix', 'calibration'), where) == 'calibration':
        beside = [key for key in ('size', 'distortion') if key in spec]
        if beside:
            raise RigError(
                f'{where}: expected no {", ".join(beside)} beside calibration:, which has its own'
            )
        path = _shared_file(spec['calibration'], folder)
        return read_intrinsics(path, spec.get('entry'), where)
    size = numbers(spec['size'], (2,), f'{where}, size') if 'size' in spec else None
    return Intrinsics(_matrix(spec['matrix'], where), size, _lens(spec.get('distortion'), where))


def _shared_file(name: Any, folder: Path) -> Path:
    """A file of the drive, or else of the folder of all drives."""
    path = folder / str(name)
    above = folder.parent / str(name)
    return above if not path.is_file() and above.is_file() else path


def _sensor_pose(
    spec: Mapping[str, Any], content: Mapping[str, Any], folder: Path, where: str
) -> np.ndarray:
    """(4, 4) pose of a sensor in the vehicle's frame of the files."""
    if spec.get('frame') is None:
        return read_pose(spec, where)
    if 'static_transforms' not in content:
        raise RigError(f'{where}: expected static_transforms: FILE for frame: {spec["frame"]}')
    path = _shared_file(content['static_transforms'], folder)
    vehicle = content.get('vehicle_frame', 'base_link')
    return pose_in(read_transforms(path), spec['frame'], vehicle, where)


def _matrix(value: Any, where: str) -> np.ndarray:
    """(3, 3) from 9 numbers, or from fx, fy, cx, cy."""
    flat = numbers(value, (4, 9), f'{where}, matrix (fx fy cx cy, or 3x3)')
    if flat.size == 9:
        return flat.reshape(3, 3)
    fx, fy, cx, cy = flat
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


def _check_swapped(matrix: np.ndarray, size: tuple[int, int], where: str) -> None:
    """Raises RigError if the centre is that of an image with width and height exchanged."""
    centre, half = matrix[:2, 2], np.array(size) / 2
    off = np.abs(centre / half - 1)
    if off.max() > 0.2 and np.abs(centre / half[::-1] - 1).max() < 0.1:
        raise RigError(
            f'{where}: expected a centre near {half[0]:g}, {half[1]:g} in images of '
            f'{size[0]}x{size[1]}, got {centre[0]:g}, {centre[1]:g}: width and height are swapped. '
            'Are the images turned, or is the matrix that of turned ones?'
        )


def _of_size(
    matrix: np.ndarray, calibrated: np.ndarray, size: tuple[int, int], where: str
) -> np.ndarray:
    """Intrinsics of a calibration at another resolution, for images of a size.

    Raises:
        DepthDataError: another aspect ratio, which is a crop and not a resize.
    """
    zoom = np.array(size) / calibrated
    if not abs(zoom[0] / zoom[1] - 1) < 0.01:
        swapped = tuple(calibrated[::-1].astype(int)) == tuple(size)
        advice = 'width and height are swapped' if swapped else (
            'these images are cropped; give the matrix of the cropped images'
        )  # fmt: skip
        raise DepthDataError(
            f'{where}: expected images in the aspect ratio of size: '
            f'{calibrated[0]:g}x{calibrated[1]:g}, got {size[0]}x{size[1]}: {advice}'
        )
    scaled = np.diag([*zoom, 1]) @ matrix
    scaled[:2, 2] += (zoom - 1) / 2  # integer coordinates are pixel centres in both sizes
    return scaled


def _lens(value: Any, where: str) -> Lens | None:
    if value is None:
        return None
    where = f'{where}, distortion'
    spec = entries(value, COEFFICIENTS, where)
    if len(spec) != 1:
        raise RigError(f'{where}: expected radial or fisheye with its coefficients, got {value!r}')
    ((model, coefficients),) = spec.items()
    flat = numbers(coefficients, COEFFICIENTS[model], f'{where}, {model}')
    return Lens(model, tuple(flat.tolist())) if np.any(flat) else None


def _read_poses(
    value: Any, folder: Path, cameras: Mapping[str, RigCamera], shift: np.ndarray, path: Path
) -> Trajectory:
    """Poses of the vehicle whose ground is at z = 0."""
    where = f'{path}, poses'
    spec = entries(_file_of(value), ('file', 'format', 'of'), where)
    of = spec.get('of', 'vehicle')
    if of != 'vehicle' and of not in cameras:
        raise RigError(
            f'{where}, of: expected vehicle, or a camera among {", ".join(cameras)}, got {of!r}'
        )
    of2ego = shift if of == 'vehicle' else cameras[of].cam2ego
    first = next(iter(cameras.values()))
    images = (cameras[of] if of in cameras else first).times
    trajectory = read_trajectory(
        _file(spec, folder, where), spec.get('format', 'tum'), images, of2ego
    )
    if spec.get('format') in ('kitti', 'nerfstudio'):  # whose worlds have other axes
        trajectory = from_first(trajectory)
    return trajectory


def _read_lidar(
    value: Any, folder: Path, content: Mapping[str, Any], shift: np.ndarray, where: str
) -> RigLidar:
    spec = entries(value, (*_SENSOR_KEYS, 'columns'), where)
    paths = find_files(folder, str(spec.get('files', '')), where)
    times = times_of(paths, spec.get('times', content.get('times', {})), folder, where)
    paths, times = in_order(paths, times, where)
    columns = int(number(spec.get('columns', 4), f'{where}, columns', 2))
    lidar2ego = shift @ check_mounting(_sensor_pose(spec, content, folder, where), where)
    return RigLidar(lidar2ego, paths, times, columns)


def _check_clocks(cameras: Mapping[str, RigCamera], path: Path) -> None:
    """Raises RigError for a camera that has no time in common with the first."""
    (first, reference), *others = cameras.items()
    for name, camera in others:
        if camera.times[0] > reference.times[-1] + 1 or camera.times[-1] < reference.times[0] - 1:
            raise RigError(
                f'{path}, cameras, {name}: expected times within those of {first}, '
                f'{reference.times[0]:.3f} to {reference.times[-1]:.3f} s, got '
                f'{camera.times[0]:.3f} to {camera.times[-1]:.3f} s. Is the clock, the unit or the '
                'drive another one?'
            )


def require_z_up(drive: Drive) -> None:
    """Raises RigError for poses in a world whose z axis is not up."""
    if drive.trajectory is None:
        return
    up = float(np.median(drive.trajectory.poses[:, 2, 2]))
    if up < np.cos(np.radians(40)):
        raise RigError(
            f'{drive.trajectory.source}: expected a world whose z axis points up, as that of the '
            f'vehicle (x forward, y left, z up), got an angle of '
            f'{np.degrees(np.arccos(np.clip(up, -1, 1))):.0f} degrees between them. Are these '
            'poses of a camera (of: CAMERA), or is the order of the quaternion another one?'
        )
