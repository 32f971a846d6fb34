"""Depth models that a user of the app chooses from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from ..depth.estimators import DepthEstimator
from ..depth.estimators.init import init_depth_model
from ..engine.run_records import run_names
from ..errors import DepthDataError
from ..inference.depth import DepthResult, infer_depth, stream_depth
from ..inference.depth_writer import render_depth
from ..inference.image_streams import ImageStream
from ..inference.point_cloud import depth_points

_FAR = 95  # percentile of the depth at which colours and point clouds end
_NEAR = 5
_MOST_POINTS = 200_000


@dataclass(frozen=True)
class ModelFiles:
    """Config and checkpoint of a depth model."""

    config: Path
    checkpoint: Path


class DepthModels:
    """Depth models by name, each loaded when it is first used; one prediction at a time.

    Args:
        files: of the models; their names are the shortest different ends of the checkpoints' paths.
        device: of the models.
    """

    def __init__(self, files: Sequence[ModelFiles], device: str = 'cpu') -> None:
        self._files = dict(zip(run_names([f.checkpoint for f in files]), files, strict=True))
        self._device, self._lock = device, Lock()
        self._loaded: dict[str, DepthEstimator] = {}

    @property
    def names(self) -> list[str]:
        return list(self._files)

    def predict(self, name: str, image: Path, scale: float | None) -> DepthResult:
        """Depth of an image file.

        Args:
            name: of the model.
            image: file.
            scale: metres per unit of a model of relative depth; None if unknown.

        Raises:
            HybridDepthError, ValueError: unknown model, not an image, or a scale for metric depth.
        """
        with self._lock:
            return infer_depth(self._model(name), image, scale=scale, frames=(0,))[0]

    def video(
        self, name: str, video: Path, out: Path, scale: float | None, most: int
    ) -> Iterator[float]:
        """Write a video of frames above their depth; colours keep the range of the first frame.

        Args:
            name, scale: as of `predict`.
            video: file.
            out: WebM file.
            most: largest number of frames.

        Yields:
            Share of the frames that is done.
        """
        with self._lock:
            model, stream = self._model(name), ImageStream(video)
            total, writer, ends = min(stream.total, most), None, None
            try:
                results = stream_depth(model, stream, scale=scale, frames=(0,))
                for index, result in enumerate(results):
                    if index == most:
                        break
                    ends = ends or depth_range(result.depth)
                    frame = render_depth(result, *ends)
                    writer = writer or _video_writer(out, frame, _rate(video))
                    writer.write(np.ascontiguousarray(frame[..., ::-1]))
                    yield (index + 1) / max(total, index + 1)
            finally:
                if writer is not None:
                    writer.release()

    def _model(self, name: str) -> DepthEstimator:
        if name not in self._files:
            raise DepthDataError(f'expected a model of {", ".join(self._files)}, got {name!r}')
        if name not in self._loaded:
            files = self._files[name]
            self._loaded[name] = init_depth_model(files.config, files.checkpoint, self._device)
        return self._loaded[name]


def depth_range(depth: np.ndarray) -> tuple[float, float]:
    """Near and far end of the colours of a depth map."""
    near, far = (float(f'{value:.3g}') for value in np.percentile(depth, (_NEAR, _FAR)))
    return near, max(far, 1.01 * near)


def write_cloud(result: DepthResult, field_of_view: float, path: Path) -> None:
    """Write a coloured point cloud as binary glTF (x right, y up, z backwards).

    Args:
        result: depth of an image.
        field_of_view: horizontal angle of the camera, degrees.
        path: ``.glb`` file.
    """
    import trimesh

    height, width = result.depth.shape
    focal = width / 2 / np.tan(np.radians(field_of_view) / 2)
    cam2img = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    far = depth_range(result.depth)[1]
    points, colors = depth_points(result.depth, result.image, cam2img, far)
    step = -(-len(points) // _MOST_POINTS)
    points, colors = points[::step] * [1, -1, -1], colors[::step]
    path.write_bytes(trimesh.PointCloud(points, colors).export(file_type='glb'))


def _rate(video: Path) -> float:
    """Frames per second of a video; 10 if unknown."""
    capture = cv2.VideoCapture(str(video))
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return rate if 0 < rate <= 240 else 10.0


def _video_writer(path: Path, frame: np.ndarray, rate: float) -> cv2.VideoWriter:
    """Writer of WebM with VP8, which all browsers show and all builds of OpenCV write."""
    size = frame.shape[1::-1]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'VP80'), rate, size)
    if not writer.isOpened():
        raise DepthDataError(f'expected an OpenCV that writes WebM, got {cv2.__version__}')
    return writer
