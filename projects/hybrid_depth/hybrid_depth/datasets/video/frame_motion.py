"""How far the image moves between frames: the first thing to look at in an own video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..image_files import open_image

_WIDTH = 320  # flow is measured at this width, which is enough for its mean
_REPORTED_WIDTH = 640


def frame_motion(first: str | Path, second: str | Path) -> float:
    """Mean length of the optical flow between two frames, in pixels of a 640 pixels wide image.

    Dense Farneback flow at half that width. Monocular training wants a few pixels; below one the
    camera hardly moves (Zhou et al., CVPR 2017, leave such frames out).

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
