"""Picture of the first key frame, which the page shows while Rerun's program is loading."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..bev.evaluation.quaternion_arrays import rotation_matrices
from ..datasets.image_files import opened_image
from ..visualization.bev import draw_bev
from ..visualization.boxes import CORNER_SIGNS, SceneBoxes
from ..visualization.camera import draw_camera_boxes
from ..visualization.panels import grid, stack
from .key_frames import Camera, KeyFrame, in_display_order
from .runs import GroundTruth

_WIDTH = 480  # of a camera, pixels
_BEV_SIZE = 640


def draw_first_view(frame: KeyFrame, truth: GroundTruth) -> bytes:
    """JPEG of the cameras and the BEV of a key frame with its ground truth.

    Raises:
        FileNotFoundError: an image does not exist.
    """
    boxes, classes = _ego_boxes(frame, truth), truth.protocol.classes
    panels = []
    for camera in in_display_order(frame.cameras):
        image, ego2img = _small(camera)
        panels.append(draw_camera_boxes(image, boxes, ego2img, classes, 'true'))
    bev = draw_bev(frame.points(), SceneBoxes.empty(), boxes, classes, size=_BEV_SIZE)
    picture = stack([grid(panels), bev[:_BEV_SIZE]])  # without the legend
    content = io.BytesIO()
    Image.fromarray(picture).save(content, 'jpeg', quality=85)
    return content.getvalue()


def _small(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) image of the width of a panel, and the (3, 4) projection into it."""
    width, height = camera.size()
    scale = _WIDTH / width
    size = (_WIDTH, round(height * scale))
    with opened_image(camera.path) as image:
        image.draft('RGB', size)  # decodes no more pixels than are needed
        pixels = np.asarray(image.convert('RGB').resize(size))
    cam2img = np.diag([scale, scale, 1.0]) @ camera.cam2img
    cam2img[:2, 2] += (scale - 1) / 2
    return pixels, cam2img @ np.linalg.inv(camera.cam2ego)[:3]


def _ego_boxes(frame: KeyFrame, truth: GroundTruth) -> SceneBoxes:
    boxes = truth.boxes(frame)
    if boxes is None:
        return SceneBoxes.empty()
    corners = CORNER_SIGNS * boxes.size[:, None, [1, 0, 2]] / 2
    corners = corners @ rotation_matrices(boxes.rotation).transpose(0, 2, 1)
    corners += boxes.centre[:, None]
    pose = np.linalg.inv(frame.ego2global)
    return SceneBoxes(corners @ pose[:3, :3].T + pose[:3, 3], boxes.label)
