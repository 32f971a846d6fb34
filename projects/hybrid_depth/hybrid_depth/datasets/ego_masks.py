"""Masks of the vehicle itself in the images of its cameras.

A folder has one mask per camera, ``CAMERA.png``: a label image (`label_images`) of the size of the
camera's images, 255 = the vehicle's body, 0 = the scene. Drawn by hand, or found by
`hybrid-depth make-ego-masks`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DepthDataError
from ..files import file_name
from .label_images import read_label_image

BODY = 255


def mask_path(folder: str | Path, camera: str) -> Path:
    """Path of a camera's mask, which must exist.

    Args:
        folder: of the masks.
        camera: name of the camera.

    Raises:
        FileNotFoundError: there is none.
    """
    path = Path(folder, f'{file_name(camera)}.png')
    if not path.is_file():
        raise FileNotFoundError(
            f'expected the mask {path} of camera {camera}, which does not exist; draw it (255 = '
            'the body of the vehicle, 0 = the scene), or find it: hybrid-depth make-ego-masks'
        )
    return path


def read_ego_mask(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Mask (H, W) bool, True on the body of the vehicle.

    Args:
        path: PNG file.
        size: expected width and height; None for any.

    Raises:
        FileNotFoundError, DepthDataError: see `read_label_image`; also values but 0 and 255, or
            nothing but the vehicle.
    """
    values = read_label_image(path, size)
    strange = np.setdiff1d(values, (0, BODY))
    if strange.size or (values == BODY).all():
        raise DepthDataError(
            f'{path}: expected 0 (the scene) and {BODY} (the body of the vehicle), got '
            f'{np.unique(values)[:5].tolist()}'
        )
    return values == BODY
