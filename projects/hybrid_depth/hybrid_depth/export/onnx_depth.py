"""Exported depth model: images to depth, with onnxruntime and numpy alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DepthDataError
from .calibration import Array
from .model_file import ModelFile, network_images


@dataclass(frozen=True)
class PriorSpec:
    """Depth that an encoder takes beside the image (``PriorEncoder``).

    Args:
        sizes: (h, w) of the maps that take it.
        normal, height: ground plane below the camera, a unit vector that points down in the camera
            frame and metres; None for embodied depth, which the caller has.
        max_depth: of the plane, metres.
    """

    sizes: Sequence[tuple[int, int]]
    normal: Sequence[float] | None = None
    height: float | None = None
    max_depth: float | None = None


@dataclass(frozen=True)
class DepthSpec:
    """Description of a depth model in the metadata of its file.

    Args:
        image_size: (H, W) of the network image.
        frames: frames that the file takes, 0 first.
        kind: of the values, see ``geometry.DepthMap``.
        prior: depth that the encoder takes, or None.
    """

    image_size: Sequence[int]
    frames: Sequence[int]
    kind: str
    prior: PriorSpec | None = None

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> DepthSpec:
        """From metadata.

        Raises:
            KeyError, TypeError: other fields than expected.
        """
        values = dict(metadata['depth'])
        if values['prior'] is not None:
            values['prior'] = PriorSpec(**values['prior'])
        return cls(**values)

    def as_metadata(self) -> dict[str, Any]:
        """JSON values; the inverse of ``of``."""
        return dict(kind='depth', depth=asdict(self))

    def geometry(
        self, cam2img: Array | None, physics_depth: Array | None = None
    ) -> dict[str, Array]:
        """Geometry inputs by name, as far as they are known.

        Args:
            cam2img: (B, 3, 3) intrinsics, pixels of the network image.
            physics_depth: (B, H, W) embodied depth of the network image, metres, 0 = none.
        """
        inputs = {}
        if cam2img is not None:
            inputs = dict(cam2img=cam2img, img2cam=np.linalg.inv(cam2img))
        for number, size in enumerate(self.prior.sizes if self.prior else ()):
            if self.prior.normal is None and physics_depth is not None:
                prior = nearest(physics_depth, size)
            elif self.prior.normal is not None and cam2img is not None:
                prior = ground_depth(self.prior, self.image_size, size, cam2img)
            else:
                continue
            inputs[f'prior_depth_{number}'] = prior
        return {name: value.astype(np.float32) for name, value in inputs.items()}


@dataclass(frozen=True)
class DepthPrediction:
    """Depth of a batch of images.

    Args:
        values: (B, H, W) float32 at the network size.
        kind: ``disparity``, ``relative`` or ``metric``, see ``geometry.DepthMap``.
    """

    values: Array
    kind: str

    def depth(self, scale: float = 1.0) -> Array:
        """Depth (B, H, W): in metres if the kind is metric, or with the metres per unit."""
        with np.errstate(divide='ignore'):
            return scale / self.values if self.kind == 'disparity' else scale * self.values


class OnnxDepth:
    """Depth model from an ONNX file of ``hybrid-depth export``.

    Args:
        path: ONNX file.
        providers: onnxruntime's execution providers.
        threads: of the CPU provider; 0 for all cores.

    Attributes:
        spec: image size, frames and kind of depth.

    Raises:
        OnnxRuntimeMissingError, FileNotFoundError, DamagedFileError: see ``ModelFile``.

    Use, as in docs/export.md, "Running a file"::

        model = OnnxDepth('depth.onnx')
        metres = model(image).depth(scale=5.4)
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str] = ('CPUExecutionProvider',),
        threads: int = 0,
    ):
        self.file = ModelFile(path, 'depth', providers, threads)
        self.spec = self.file.parse(DepthSpec.of)

    def __call__(
        self,
        frames: Array | Mapping[int, Array],
        cam2img: Array | None = None,
        physics_depth: Array | None = None,
        transforms: Mapping[int, Array] | None = None,
    ) -> DepthPrediction:
        """Depth of frame 0; arguments and errors as of ``inputs``."""
        outputs = self.file.run(self.inputs(frames, cam2img, physics_depth, transforms))
        return DepthPrediction(outputs['depth'][:, 0], self.spec.kind)

    def inputs(
        self,
        frames: Array | Mapping[int, Array],
        cam2img: Array | None = None,
        physics_depth: Array | None = None,
        transforms: Mapping[int, Array] | None = None,
    ) -> dict[str, Array]:
        """Inputs of the file by name, and some that it may not have.

        Args:
            frames: (3, H, W) or (B, 3, H, W) RGB of the network size, uint8 or float in [0, 1]; for
                a model of several frames a dictionary of them, 0 the current one and -1, 1, ... its
                neighbours. ManyDepth does without those that are missing.
            cam2img: (3, 3) or (B, 3, 3) intrinsics, pixels of the network image, if the file has an
                input for them or a ground plane.
            physics_depth: (B, H, W) embodied depth of frame 0 at the network size, metres, 0 =
                none, for an encoder that takes it.
            transforms: (B, 4, 4) by frame, from frame 0's camera to its, for a ManyDepth without
                pose net.

        Raises:
            DepthDataError: images of another shape, or a frame or the intrinsics are missing.
        """
        frames = frames if isinstance(frames, Mapping) else {0: frames}
        if 0 not in frames:
            raise DepthDataError(f'expected the current frame 0, got frames {sorted(frames)}')
        images = {i: network_images(x, self.spec.image_size, 1) for i, x in frames.items()}
        inputs = {}
        for frame in self.spec.frames:
            image = images.get(frame)
            if image is None and 'img2cam' in self.file.inputs:
                image = np.zeros_like(images[0])  # none, in ManyDepth
                inputs[transform_name(frame)] = np.tile(
                    np.eye(4, dtype=np.float32), (len(image), 1, 1)
                )
            if image is None:
                raise DepthDataError(
                    f'expected frames {list(self.spec.frames)}, got {sorted(frames)}; export '
                    'with --frames 0 for a file of one frame'
                )
            inputs[frame_name(frame)] = image
        for frame, transform in (transforms or {}).items():
            inputs[transform_name(frame)] = np.asarray(transform, np.float32)
        if cam2img is not None:
            cam2img = _intrinsics(cam2img, len(images[0]))
        return inputs | self.spec.geometry(cam2img, physics_depth)


def frame_name(frame: int) -> str:
    """Input of a frame: ``image``, ``image_before_1``, ``image_after_1``, ..."""
    if frame == 0:
        return 'image'
    return f'image_before_{-frame}' if frame < 0 else f'image_after_{frame}'


def transform_name(frame: int) -> str:
    """Input of the transform from frame 0's camera to that of a frame."""
    return frame_name(frame).replace('image', 'transform')


def _intrinsics(cam2img: Array, batch: int) -> Array:
    matrix = np.asarray(cam2img, np.float64)
    if matrix.shape not in ((3, 3), (batch, 3, 3)) or not np.isfinite(matrix).all():
        raise DepthDataError(
            f'expected finite intrinsics (3, 3) or ({batch}, 3, 3), got {matrix.shape}'
        )
    if not (np.abs(np.linalg.det(matrix)) > 0).all():
        raise DepthDataError('expected invertible intrinsics, got a singular matrix')
    return np.broadcast_to(matrix, (batch, 3, 3))


def nearest(depth: Array, size: Sequence[int]) -> Array:
    """Depth (B, h, w) at the nearest pixel of each cell: ``nearest-exact`` of PyTorch."""
    rows, columns = (
        ((np.arange(cells) + 0.5) * (pixels / cells)).astype(np.int64)
        for cells, pixels in zip(size, depth.shape[1:], strict=True)
    )
    return depth[:, rows[:, None], columns]


def ground_depth(
    spec: PriorSpec, image_size: Sequence[int], size: Sequence[int], cam2img: Array
) -> Array:
    """Depth (B, h, w) of the ground at the centres of a map's cells: ``GroundPlane.depth``."""
    v, u = (
        (np.arange(cells) + 0.5) * (pixels / cells) - 0.5
        for cells, pixels in zip(size, image_size, strict=True)
    )
    u, v = np.meshgrid(u, v)
    points = np.stack((u, v, np.ones_like(u)), -1)
    slope = np.einsum('hwp,bcp,c->bhw', points, np.linalg.inv(cam2img), np.asarray(spec.normal))
    valid = (slope * spec.max_depth > spec.height) & (spec.height > 0) & math.isfinite(spec.height)
    return np.where(valid, spec.height / np.where(valid, slope, 1), 0)
