"""Boxes of a scene and their projection to pixels, shared by all visualizations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .strokes import clip_to_image

# Corner order of mmdet3d's LiDARInstance3DBoxes: 0 1 2 3 rear face, 4 5 6 7 front face, 0 3 7 4
# bottom.
REAR_FACE = ((0, 1), (1, 2), (2, 3), (3, 0))
FRONT_FACE = ((4, 5), (5, 6), (6, 7), (7, 4))
BOX_EDGES = np.array([*REAR_FACE, *FRONT_FACE, (0, 4), (1, 5), (2, 6), (3, 7)], dtype=int)
#: (x, y, z) signs of the corners.
CORNER_SIGNS = np.array(
    [(x, y, z) for x in (-1, 1) for y, z in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
)
BOTTOM = np.array([0, 3, 7, 4])
FRONT_BOTTOM = np.array([4, 7])
#: Distance that a correct prediction is below, metres: of nuScenes' true-positive errors.
MATCH_DISTANCE = 2.0


@dataclass(frozen=True)
class SceneBoxes:
    """Set of M boxes in the key-frame ego frame.

    Args:
        corners: (M, 8, 3) metres, in the corner order of mmdet3d's ``LiDARInstance3DBoxes``.
        labels: (M,) class numbers.
        scores: (M,) or None for ground-truth boxes.
        correct: (M,) bool, predicted boxes that have a ground-truth box; None if unknown.

    Raises:
        ValueError: shapes are inconsistent.
    """

    corners: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    correct: np.ndarray | None = None

    def __post_init__(self):
        count = len(self.labels)
        if self.corners.shape != (count, 8, 3):
            raise ValueError(
                f'SceneBoxes: expected corners ({count}, 8, 3) for {count} labels, '
                f'got {self.corners.shape}'
            )
        if self.scores is not None and len(self.scores) != count:
            raise ValueError(
                f'SceneBoxes: expected {count} scores, one per label, got {len(self.scores)}'
            )

    @classmethod
    def from_ego(cls, bboxes_3d, labels, scores=None) -> SceneBoxes:
        """Scene boxes from mmdet3d boxes in the ego frame (see ``lidar_to_ego_boxes``).

        Args:
            bboxes_3d: ``LiDARInstance3DBoxes`` (any object whose ``corners`` is (M, 8, 3)).
            labels: (M,) class numbers; boxes with negative ones (other classes) are omitted.
            scores: (M,) or None.
        """
        corners = _to_numpy(bboxes_3d.corners).astype(np.float64).reshape(-1, 8, 3)
        labels = _to_numpy(labels).astype(int)
        known = labels >= 0
        return cls(
            corners[known],
            labels[known],
            None if scores is None else _to_numpy(scores)[known],
        )

    @classmethod
    def empty(cls) -> SceneBoxes:
        return cls(np.empty((0, 8, 3)), np.empty(0, dtype=int), np.empty(0))

    def __len__(self) -> int:
        return len(self.labels)

    def above(self, score_thr: float) -> SceneBoxes:
        """Boxes with a score of at least ``score_thr``, in ascending order (best drawn on top)."""
        order = np.argsort(self.scores, kind='stable')
        order = order[self.scores[order] >= score_thr]
        correct = None if self.correct is None else self.correct[order]
        return SceneBoxes(self.corners[order], self.labels[order], self.scores[order], correct)

    def matched(self, true: SceneBoxes, limit: float = MATCH_DISTANCE) -> SceneBoxes:
        """Predicted boxes with ``correct`` set by nuScenes' rule.

        Best first, each prediction takes the nearest free box of its class whose centre is nearer
        than the limit on the ground plane (docs/reference/nuscenes.md, "Scores").
        """
        centres, places = (boxes.corners.mean(1)[:, :2] for boxes in (self, true))
        correct, free = np.zeros(len(self), bool), np.ones(len(true), bool)
        for box in np.argsort(-self.scores, kind='stable'):
            distance = np.linalg.norm(places - centres[box], axis=-1)
            distance[~free | (true.labels != self.labels[box])] = np.inf
            if distance.size and distance.min() < limit:
                correct[box], free[distance.argmin()] = True, False
        return replace(self, correct=correct)

    def false_positives(self) -> np.ndarray:
        """(M,) bool; none where that is unknown."""
        return np.zeros(len(self), bool) if self.correct is None else ~self.correct

    def wires(self) -> np.ndarray:
        """(M, 13, 2, 3) segments: twelve edges, then the heading (see `headings`)."""
        edges = self.corners[:, BOX_EDGES]
        return np.concatenate((edges, self.headings()[:, None]), 1)

    def headings(self) -> np.ndarray:
        """(M, 2, 3) segments from the bottom centre to the middle of the bottom front edge."""
        centre = self.corners[:, BOTTOM].mean(1)
        front = self.corners[:, FRONT_BOTTOM].mean(1)
        return np.stack((centre, front), 1)


def project_points(points: np.ndarray, ego2img: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Projection of ego points to pixels.

    Args:
        points: (..., 3) metres, ego frame.
        ego2img: (3, 4) projection of one camera, see ``CameraRig.ego2img``.

    Returns:
        (..., 2) pixels (u, v), meaningless where the depth is not positive, and (...) depth along
        the optical axis, metres.
    """
    homogeneous = points @ ego2img[:, :3].T + ego2img[:, 3]
    depth = homogeneous[..., 2]
    safe = np.where(depth > 0, depth, 1.0)
    return homogeneous[..., :2] / safe[..., None], depth


def project_wires(
    wires: np.ndarray, ego2img: np.ndarray, size: tuple[int, int], near: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Visible parts of box wires in a camera, in pixels.

    Wires are clipped at the near plane, as points behind the camera have no pixel.

    Args:
        wires: (M, S, 2, 3) segments of M boxes, metres, ego frame.
        ego2img: (3, 4) projection of one camera.
        size: (height, width) of the image.
        near: distance of the near plane, metres.

    Returns:
        (L, 2, 2) segments in pixels, inside the image, and (L,) the box of each.
    """
    owner = np.repeat(np.arange(len(wires)), wires.shape[1])
    ends = wires.reshape(-1, 2, 3)
    depth = project_points(ends, ego2img)[1]
    shown = (depth > near).any(1)
    ends, depth, owner = ends[shown], depth[shown], owner[shown]

    behind = depth < near
    span = np.where(behind.any(1), depth[:, 1] - depth[:, 0], 1.0)
    share = ((near - depth[:, 0]) / span)[:, None]
    cut = ends[:, 0] + share * (ends[:, 1] - ends[:, 0])
    ends = np.where(behind[..., None], cut[:, None], ends)
    segments, kept = clip_to_image(project_points(ends, ego2img)[0], size)
    return segments, owner[kept]


def _to_numpy(values) -> np.ndarray:
    return values.detach().cpu().numpy() if hasattr(values, 'detach') else np.asarray(values)
