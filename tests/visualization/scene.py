"""Small synthetic scene: six cameras 60 degrees apart at the ego origin."""

import numpy as np
import torch

from hybrid_depth.geometry import CameraRig
from hybrid_depth.visualization import SceneBoxes

CAMERAS = {
    'CAM_FRONT_LEFT': 60, 'CAM_FRONT': 0, 'CAM_FRONT_RIGHT': -60,
    'CAM_BACK_LEFT': 120, 'CAM_BACK': 180, 'CAM_BACK_RIGHT': -120,
}  # fmt: skip
IMAGE_SIZE = (90, 160)
# Camera axes (columns: right, down, forward) of a camera facing ego x.
FORWARD = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def rig_matrices(img_aug: np.ndarray | None = None) -> dict[str, torch.Tensor]:
    """The unbatched matrices of ``CameraRig``."""
    cam2ego = np.tile(np.eye(4), (6, 1, 1))
    for camera, degrees in enumerate(CAMERAS.values()):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        cam2ego[camera, :3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ FORWARD
    cam2img = np.array([[120.0, 0.0, 80.0], [0.0, 120.0, 45.0], [0.0, 0.0, 1.0]])
    img_aug = np.eye(3) if img_aug is None else img_aug
    matrices = dict(
        cam2img=np.tile(cam2img, (6, 1, 1)),
        cam2ego=cam2ego,
        img_aug=np.tile(img_aug, (6, 1, 1)),
        bda=np.eye(4),
        ego2global=np.eye(4),
    )
    return {name: torch.from_numpy(matrix) for name, matrix in matrices.items()}


def make_rig(img_aug: np.ndarray | None = None) -> CameraRig:
    return CameraRig.collate([rig_matrices(img_aug)])


def cuboid(centre, size=(4.0, 2.0, 1.5)) -> np.ndarray:
    """(8, 3) corners, in mmdet3d's order, of a box with heading x."""
    unit = np.stack(np.unravel_index(np.arange(8), [2] * 3), 1)[[0, 1, 3, 2, 4, 5, 7, 6]]
    return (unit - 0.5) * size + centre


def make_boxes(centres, labels, scores=None) -> SceneBoxes:
    corners = np.array([cuboid(centre) for centre in centres]).reshape(-1, 8, 3)
    scores = None if scores is None else np.array(scores)
    return SceneBoxes(corners, np.array(labels, dtype=int), scores)
