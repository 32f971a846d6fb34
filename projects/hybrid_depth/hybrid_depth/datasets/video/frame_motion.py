"""Image motion between frames, the first check of a user video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..image_files import open_image

_WIDTH = 320  # of the images for optical flow; enough for its mean
_REPORTED_WIDTH = 640


def frame_motion(first: str | Path, second: str | Path) -> float:
    """Mean length of the optical flow between two frames, in pixels at an image width of 640.

    Dense Farneback flow at half that width. Monocular training needs a few pixels; below one the
    camera is almost static (Zhou et al., CVPR 2017, omit such frames).

    Raises:
        FileNotFoundError, DepthDataError: an image is missing or damaged.
    """
    grey = []
    for path in (first, second):
        image = open_image(path).convert('L')
        height = round(image.height * _WIDTH / image.width)
        grey.append(np.asarray(image.resize((_WIDTH, height))))
    flow = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 4, 15, 3, 5, 1.2, 0)
    return float(np.linalg.norm(flow, axis=-1).mean() * _REPORTED_WIDTH / _WIDTH)
