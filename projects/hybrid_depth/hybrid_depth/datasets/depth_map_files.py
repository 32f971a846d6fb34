"""Files of single depth maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import DepthDataError
from ..files import atomic_file, file_name
from ..text_files import parse_json
from .image_files import opened_image

_KEY = 'depth'
_PNG_UNITS = 256.0  # KITTI's depth PNG: uint16, metres times 256, 0 = none


def write_depth_map(depth: np.ndarray, path: str | Path) -> None:
    """Write a depth map (H, W), metres, 0 = none, as compressed float32, atomically."""
    with atomic_file(path) as file:
        np.savez_compressed(file, **{_KEY: depth.astype(np.float32)})


def write_depth_png(depth: np.ndarray, path: str | Path, text: dict[str, str] | None = None):
    """Write a depth map (H, W), metres, as KITTI's 16-bit PNG (metres times 256), atomically.

    Depths out of its range (not positive, not finite, 256 m and more) become 0 = none.

    Args:
        text: PNG text chunks, by name.
    """
    info = PngInfo()
    for name, value in (text or {}).items():
        info.add_text(name, value)
    values = np.round(np.nan_to_num(depth, nan=0.0, posinf=0.0) * _PNG_UNITS)
    values[(values < 0) | (values > np.iinfo(np.uint16).max)] = 0
    with atomic_file(path) as file:
        Image.fromarray(values.astype(np.uint16)).save(file, format='PNG', pnginfo=info)


def depth_png_text(path: str | Path, name: str) -> str | None:
    """Text chunk of a depth PNG by its name; None without the file or the chunk, or if damaged."""
    try:
        with opened_image(path) as image:
            return image.info.get(name)
    except (FileNotFoundError, DepthDataError):
        return None


def read_depth_png(path: str | Path) -> np.ndarray:
    """Read a 16-bit depth PNG of KITTI (metres times 256) as (H, W) float32 metres, 0 = none.

    Raises:
        DepthDataError: damaged, or not 16-bit: 8-bit depth PNGs are images, not measurements.
    """
    with opened_image(path) as image:
        mode, values = image.mode, np.array(image)
    if not mode.startswith('I') or values.ndim != 2:
        raise DepthDataError(f'{path}: expected a 16-bit grey PNG, got mode {mode}')
    return (values / _PNG_UNITS).astype(np.float32)


def pseudo_depth_path(folder: str | Path, camera: str, image: str, drive: str = '') -> Path:
    """Where hybrid-depth make-pseudo-depth writes the depth of an image.

    Args:
        folder: its output folder.
        camera: name.
        image: file, of which the name counts.
        drive: name of the drive, where names of files repeat in other drives; '' in nuScenes.
    """
    parts = [file_name(name) for name in ((drive, camera) if drive else (camera,))]
    return Path(folder, *parts, f'{file_name(Path(image).stem)}.png')


def read_pseudo_depth(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a file of hybrid-depth make-pseudo-depth.

    Returns:
        (h, w) float32 metres, 0 = unknown, and the (3, 3) affine map from original image pixels to
        depth map pixels.

    Raises:
        FileNotFoundError: the file does not exist.
        DepthDataError: damaged, or not written by that tool.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'expected the pseudo depth {path}, which does not exist; make it with: '
            'hybrid-depth make-pseudo-depth CONFIG CHECKPOINT --infos INFOS --out FOLDER'
        )
    depth = read_depth_png(path)
    with opened_image(path) as image:
        placed = getattr(image, 'text', {}).get('img_aug')
    if placed is None:
        raise DepthDataError(
            f'{path}: expected a file of hybrid-depth make-pseudo-depth, got a depth PNG without '
            'its region of the image; write it again with that tool'
        )
    return depth, np.array(parse_json(placed, path))
