"""A small KITTI raw download, written by tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

DAY = '2011_09_26'
DRIVE = f'{DAY}/{DAY}_drive_0077_sync'
SIZE = (124, 38)  # width, height
FOCAL, CENTRE, BASELINE = 72.0, (61.0, 17.0), 0.5


def _projection(shift: float) -> list[float]:
    return [FOCAL, 0, CENTRE[0], shift, 0, FOCAL, CENTRE[1], 0, 0, 0, 1, 0]


def write_calibration(day: Path, size: tuple[int, int] = SIZE) -> None:
    """Both files; the Velodyne faces the camera's axis, x forward, y left, z up."""
    day.mkdir(parents=True, exist_ok=True)
    entries = dict(calib_time='09-Jan-2012 13:57:47', S_rect_02=size, R_rect_00=np.eye(3).ravel())
    for camera in range(4):
        entries[f'P_rect_{camera:02d}'] = _projection(-FOCAL * BASELINE * (camera == 3))

    def text(value: object) -> str:
        return value if isinstance(value, str) else ' '.join(f'{number:e}' for number in value)

    lines = [f'{name}: {text(value)}' for name, value in entries.items()]
    (day / 'calib_cam_to_cam.txt').write_text('\n'.join(lines))
    axes = '0 -1 0 0 0 -1 1 0 0'
    (day / 'calib_velo_to_cam.txt').write_text(f'calib_time: x\nR: {axes}\nT: 0 0 0\n')


def image(number: int, side: str = 'l', size: tuple[int, int] = SIZE) -> Image.Image:
    """A scene that moves 2 pixels per frame; in the right camera 4 pixels further left."""
    width, height = size
    wide = np.random.default_rng(0).integers(0, 256, (height // 4 + 1, width, 3), dtype=np.uint8)
    whole = Image.fromarray(wide).resize((width * 2, height), Image.Resampling.BICUBIC)
    left = 2 * number + 4 * (side == 'r')
    return whole.crop((left, 0, left + width, height))


def write_sweep(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    points.astype(np.float32).tofile(path)


def forward_points(distance: float) -> np.ndarray:
    """A wall of points (N, 4) at a distance in front of the camera."""
    y, z = np.meshgrid(np.linspace(-8, 8, 40), np.linspace(-2, 2, 12))
    points = np.stack([np.full_like(y, distance), y, z, np.zeros_like(y)], -1)
    return points.reshape(-1, 4)


def write_raw_tree(
    root: Path,
    numbers: Iterable[int] = range(4),
    sides: str = 'lr',
    sweeps: Iterable[int] = (1, 2),
    suffix: str = '.png',
    drive: str = DRIVE,
) -> Path:
    """One drive; frame numbers, cameras and sweeps as given."""
    day, numbers = root / drive.split('/')[0], list(numbers)
    write_calibration(day)
    for side in sides:
        folder = root / drive / f'image_{2 if side == "l" else 3:02d}' / 'data'
        folder.mkdir(parents=True)
        for number in numbers:
            image(number, side).save(folder / f'{number:010d}{suffix}')
    for number in sweeps:
        sweep = root / drive / 'velodyne_points' / 'data' / f'{number:010d}.bin'
        write_sweep(sweep, forward_points(10.0 + number))
    return root


def write_list(path: Path, numbers: Iterable[int], side: str = 'l', drive: str = DRIVE) -> str:
    path.write_text(''.join(f'{drive} {number} {side}\n' for number in numbers))
    return str(path)
