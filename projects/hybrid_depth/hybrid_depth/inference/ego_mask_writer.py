"""Masks of the vehicle itself, found in the images of its cameras and written with a preview."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..datasets.calibrated_frames import info_clips
from ..datasets.ego_masks import BODY
from ..datasets.image_files import open_image
from ..datasets.label_images import write_label_image
from ..datasets.video.clips import find_clips
from ..files import atomic_file, file_name
from ..geometry.static_pixels import find_static_pixels

_RED = np.array([255, 0, 0])


def camera_images(root: str | Path, infos: str | Path | None = None) -> dict[str, list[Path]]:
    """Images by camera, of all drives.

    Args:
        root: folder with folders of frames, one per camera; or root of an info file.
        infos: info file.

    Raises:
        FileNotFoundError, DepthDataError: no images.
    """
    cameras: dict[str, list[Path]] = defaultdict(list)
    if infos is None:
        for folder, images in find_clips(Path(root)).items():
            cameras[folder.name] += images
    else:
        for (_, camera), clip in info_clips(infos, root).items():
            cameras[camera] += [frame.image for frame in clip]
    return dict(cameras)


def write_ego_mask(out: Path, camera: str, images: Sequence[Path], most: int) -> float:
    """Find the mask of a camera, write it, and a preview of the mask on an image.

    Args:
        out: folder of the masks; `preview/` below it.
        camera: its name.
        images: of the camera.
        most: largest number of images that are read, spread over all.

    Returns:
        Share of the image.

    Raises:
        DepthDataError: see `find_static_pixels`.
    """
    places = np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int)
    chosen = [images[place] for place in places]
    mask = find_static_pixels(_grey(image) for image in chosen)
    name = file_name(camera)
    write_label_image(mask.astype(np.uint8) * BODY, out / f'{name}.png')
    shown = np.array(open_image(chosen[len(chosen) // 2]))
    shown[mask] = (shown[mask] + _RED) // 2
    with atomic_file(out / 'preview' / f'{name}.jpg') as file:
        Image.fromarray(shown).save(file, 'jpeg')
    return float(mask.mean())


def _grey(image: Path) -> np.ndarray:
    return cv2.cvtColor(np.asarray(open_image(image)), cv2.COLOR_RGB2GRAY)
