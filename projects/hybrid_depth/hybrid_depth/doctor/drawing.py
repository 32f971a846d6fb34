"""One image per camera with what the checks compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..files import file_name
from .case import Case
from .keyframes import Keyframe


def write_images(case: Case, folder: str | Path) -> list[Path]:
    """Write the images of the first keyframe with its boxes, LiDAR points and the horizon.

    Returns:
        `<folder>/<camera>.png`, one per camera.

    Raises:
        NotCheckedError: the config has no keyframes, or they cannot be read.
    """
    from ..visualization.png import write_png

    keyframe = case.keyframes[0]
    written = []
    for camera, name in enumerate(keyframe.cam_names):
        path = Path(folder, f'{file_name(name)}.png')
        write_png(draw_camera(case, keyframe, camera), path)
        written.append(path)
    return written


def draw_camera(case: Case, keyframe: Keyframe, camera: int) -> np.ndarray:
    """Image of one camera, (H, W, 3) uint8 RGB."""
    from mmdet3d.structures import LiDARInstance3DBoxes

    from ..bev.structures import lidar_to_ego_boxes
    from ..visualization.boxes import SceneBoxes
    from ..visualization.calibration import draw_calibration

    boxes = LiDARInstance3DBoxes(keyframe.boxes, origin=(0.5, 0.5, 0.5))
    scene = SceneBoxes.from_ego(lidar_to_ego_boxes(boxes, keyframe.lidar2ego), keyframe.labels)
    return draw_calibration(
        keyframe.images[camera],
        scene,
        keyframe.ego_points,
        keyframe.cam2img[camera] @ keyframe.ego2cam[camera, :3],
        case.classes,
        f'{keyframe.cam_names[camera]}   {keyframe.token}',
    )
