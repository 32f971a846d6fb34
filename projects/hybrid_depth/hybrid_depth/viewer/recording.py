"""Key frames and predictions as entities of a Rerun recording.

One entity per run, class, outcome and range of scores: each is switched on and off in the viewer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import rerun as rr

from ..bev.evaluation.detection_boxes import DetectionBoxes
from ..bev.evaluation.quaternion_arrays import rotation_matrices
from ..visualization.colors import RGB, class_colors
from ..visualization.depth import colorize_depth
from .key_frames import Camera, KeyFrame
from .outcomes import FALSE_POSITIVE, MISSED, TRUE_POSITIVE, judge
from .runs import GroundTruth, Prediction

APPLICATION = 'hybrid_depth'
TIME_LINE = 'key_frame'
TRUTH = 'ground_truth'
_OUTCOME_COLORS: dict[str, RGB] = {
    TRUE_POSITIVE: (92, 255, 122),
    FALSE_POSITIVE: (255, 84, 84),
    MISSED: (255, 176, 0),
}
_TRUE_BOX: RGB = (205, 210, 218)
_SCORE_STEP = 0.2
_LINE = rr.components.Radius.ui_points(1.2)
_DEPTH_RANGE = (4.0, 60.0)  # metres, of the colours of LiDAR points

Group = tuple[tuple[str, ...], DetectionBoxes, RGB]  # path below the run, boxes, colour


def entity_name(text: str) -> str:
    """Part of an entity path without characters that a path escapes."""
    return re.sub(r'[^\w.-]', '_', text, flags=re.ASCII) or '_'


def camera_path(name: str) -> str:
    """Entity of a camera; its image is below."""
    return f'world/ego/cameras/{entity_name(name)}'


def depth_path(run: str, name: str) -> str:
    """Entity of the camera of a depth map; the map is below."""
    return f'world/ego/depth/{run}/{entity_name(name)}'


class Recorder:
    """Writer of key frames and predictions to a recording.

    Boxes are in the global frame, shifted to the first key frame; points and cameras are in the ego
    frame, which moves.

    Args:
        stream: recording, connected to a file or viewer.
        truth: ground truth.
        classes: classes shown.
        score_thr: smallest score shown; it decides which boxes count as missed.
    """

    def __init__(
        self,
        stream: rr.RecordingStream,
        truth: GroundTruth,
        classes: Sequence[str],
        score_thr: float,
    ):
        self._stream, self._truth, self._score_thr = stream, truth, score_thr
        self._names = truth.protocol.classes
        self._colors = class_colors(self._names)
        self._shown = np.isin(self._names, classes)
        self._origin: np.ndarray | None = None
        self._filled: dict[str, set[tuple[str, ...]]] = {}  # entities with boxes now, by run
        stream.log('world', rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)

    def key_frame(self, index: int, frame: KeyFrame) -> None:
        """Write the images, calibration, LiDAR points and ground truth of a key frame.

        Raises:
            FileNotFoundError: an image does not exist.
        """
        self._at(index)
        if self._origin is None:
            self._origin = frame.ego2global[:3, 3]
        pose = frame.ego2global
        self._stream.log(
            'world/ego', rr.Transform3D(translation=pose[:3, 3] - self._origin, mat3x3=pose[:3, :3])
        )
        for camera in frame.cameras:
            path = camera_path(camera.name)
            self._camera(path, camera, camera.size())
            self._stream.log(f'{path}/image', rr.EncodedImage(path=camera.path))
        about = rr.AnyValues(token=frame.token, scene=frame.scene, timestamp=frame.timestamp)
        self._stream.log('world/ego', about)
        points = frame.points()
        if len(points):
            colors = colorize_depth(np.linalg.norm(points[:, :2], axis=1), *_DEPTH_RANGE)
            self._stream.log('world/ego/lidar', rr.Points3D(points, colors=colors))
            self._stream.log('bev/lidar', rr.Points2D(_from_above(points), colors=colors))
        vehicle = np.array([[[-1, 2.3, 0], [4, 0, 0], [-1, -2.3, 0], [-1, 2.3, 0]]]) * [1, 0.4, 1]
        self._stream.log('bev/ego', rr.LineStrips2D(_from_above(vehicle)))
        true = self._truth.boxes(frame)
        if true is not None:
            groups = [((name,), boxes, _TRUE_BOX) for name, boxes in self._by_class(true)]
            self._boxes(TRUTH, frame, groups)

    def prediction(self, index: int, frame: KeyFrame, run: str, prediction: Prediction) -> None:
        """Write the predictions of a run for a key frame.

        Args:
            index, frame: as of `key_frame`, which was written before.
            run: name of the run, part of a path.
            prediction: of the run.
        """
        self._at(index)
        self._boxes(run, frame, list(self._groups(frame, prediction.boxes)))
        for camera, depth in prediction.depth:
            path = depth_path(run, camera.name)
            self._camera(path, camera, depth.shape[::-1])
            self._stream.log(f'{path}/map', rr.DepthImage(depth.astype(np.float32), meter=1.0))

    def _groups(self, frame: KeyFrame, predicted: DetectionBoxes) -> Iterator[Group]:
        """Boxes of each class, outcome and range of scores."""
        predicted = predicted[predicted.score >= self._score_thr]
        true = self._truth.boxes(frame)
        if true is None:
            for name, boxes in self._by_class(predicted):
                color = tuple(self._colors[self._names.index(name)])
                yield from (((name, *path), part, color) for path, part in _by_score(boxes))
            return
        outcomes = judge(true, self._truth.countable(frame, predicted), self._truth.protocol)
        for outcome, boxes in outcomes.groups():
            color = _OUTCOME_COLORS[outcome]
            for name, rows in self._by_class(boxes):
                parts = [((), rows)] if outcome == MISSED else _by_score(rows)
                yield from (((name, outcome, *path), part, color) for path, part in parts)

    def _by_class(self, boxes: DetectionBoxes) -> Iterator[tuple[str, DetectionBoxes]]:
        for label in np.unique(boxes.label):
            if self._shown[label]:
                yield self._names[label], boxes[boxes.label == label]

    def _boxes(self, run: str, frame: KeyFrame, groups: list[Group]) -> None:
        """Write boxes in 3-D and from above, and clear the entities that have none now."""
        for path, boxes, color in groups:
            labels = [
                f'{self._names[label]} {score:.2f}'
                for label, score in zip(boxes.label, boxes.score, strict=True)
            ]
            solid = rr.Boxes3D(
                centers=boxes.centre - self._origin,
                half_sizes=boxes.size[:, [1, 0, 2]] / 2,
                quaternions=boxes.rotation[:, [1, 2, 3, 0]],
                colors=color,
                labels=labels,
                show_labels=False,
                radii=_LINE,
                fill_mode='MajorWireframe',
            )
            self._stream.log(['world', run, *path], solid)
            flat = rr.LineStrips2D(
                _from_above(_footprints(boxes, frame)),
                colors=color,
                labels=labels,
                show_labels=False,
                radii=_LINE,
            )
            self._stream.log(['bev', run, *path], flat)
        paths = {path for path, _, _ in groups}
        for path in self._filled.get(run, set()) - paths:
            for space in ('world', 'bev'):
                self._stream.log([space, run, *path], rr.Clear(recursive=False))
        self._filled[run] = paths

    def _camera(self, path: str, camera: Camera, size: tuple[int, int]) -> None:
        pose = camera.cam2ego
        self._stream.log(path, rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
        pinhole = rr.Pinhole(
            image_from_camera=camera.cam2img,
            resolution=size,
            camera_xyz=rr.ViewCoordinates.RDF,
            image_plane_distance=2.0,
        )
        self._stream.log(path, pinhole)

    def _at(self, index: int) -> None:
        self._stream.set_time(TIME_LINE, sequence=index)


def _by_score(boxes: DetectionBoxes) -> Iterator[tuple[tuple[str], DetectionBoxes]]:
    """Boxes by range of their scores, and the name of the range."""
    step = np.minimum(boxes.score // _SCORE_STEP, 1 / _SCORE_STEP - 1).astype(int)
    for place in np.unique(step):
        low = place * _SCORE_STEP
        yield (f'score_{low:.1f}-{low + _SCORE_STEP:.1f}',), boxes[step == place]


def _footprints(boxes: DetectionBoxes, frame: KeyFrame) -> np.ndarray:
    """(N, 7, 3) outlines of boxes from above with their heading, ego frame."""
    axes = rotation_matrices(boxes.rotation)
    ahead = axes[:, :, 0] * boxes.size[:, 1:2] / 2
    left = axes[:, :, 1] * boxes.size[:, 0:1] / 2
    signs = [(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (1, -1), (1, 0)]
    outline = np.stack([boxes.centre + a * ahead + b * left for a, b in signs], 1)
    pose = np.linalg.inv(frame.ego2global)
    return outline @ pose[:3, :3].T + pose[:3, 3]


def _from_above(points: np.ndarray) -> np.ndarray:
    """(..., 2) ego points (..., 3) from above: right, and down (ahead is up)."""
    return -points[..., [1, 0]]
