"""Export of a depth model to ONNX, and its check against PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..depth.encoders.prior import EmbodiedPrior, GroundPlanePrior, PriorEncoder
from ..depth.estimators import DepthEstimator
from ..depth.estimators.embodiment import VisionLanguageEmbodiment
from ..depth.estimators.manydepth import ManyDepth
from ..errors import ConfigError
from ..files import atomic_file
from ..geometry.camera_view import CameraView
from .calibration import Array
from .depth_graph import DepthGraph
from .onnx_depth import DepthSpec, OnnxDepth, PriorSpec, frame_name, transform_name
from .report import ExportReport, relative_errors, seconds
from .writer import write_onnx


@dataclass(frozen=True)
class DepthInputs:
    """Inputs of a depth model.

    Args:
        frames: (B, 3, H, W) RGB in [0, 1] by frame.
        cam2img: (B, 3, 3).
        physics_depth: (B, H, W) metres.
        transforms: (B, 4, 4) by frame, from frame 0's camera to its.
    """

    frames: Mapping[int, Array]
    cam2img: Array
    physics_depth: Array
    transforms: Mapping[int, Array]

    def first(self) -> DepthInputs:
        """The first item, as a batch of one."""
        return DepthInputs(
            {frame: image[:1] for frame, image in self.frames.items()},
            self.cam2img[:1],
            self.physics_depth[:1],
            {frame: transform[:1] for frame, transform in self.transforms.items()},
        )

    def of_file(self, spec: DepthSpec) -> dict[str, Array]:
        """Inputs of a file by name."""
        images = {frame_name(frame): image for frame, image in self.frames.items()}
        transforms = {transform_name(frame): x for frame, x in self.transforms.items()}
        return images | transforms | spec.geometry(self.cam2img, self.physics_depth)


def export_depth_model(
    model: DepthEstimator,
    path: str | Path,
    size: tuple[int, int] | None = None,
    frames: Sequence[int] | None = None,
    precision: str = 'fp32',
) -> ExportReport:
    """Write a depth model as an ONNX file and check it against PyTorch.

    The check runs two images of different intrinsics, and for ManyDepth also without its lookup
    frames.

    Args:
        model: from ``init_depth_model``.
        path: file to write.
        size: (H, W) of the network image; None for the training size.
        frames: frames that the file takes; None for all that the model uses.
        precision: see ``write_onnx``.

    Raises:
        ExportError: the model cannot be exported, or the file has other outputs than the model.
        ConfigError: unknown size, frames that the model does not use, or an unknown prior.
    """
    spec = describe(model, size, frames)
    graph = DepthGraph(model, spec).eval()
    inputs = example_inputs(spec)
    given = inputs.of_file(spec)
    arguments = [torch.from_numpy(given[name]) for name in graph.input_names()]
    names = graph.input_names(), ['depth']
    with atomic_file(path) as file:
        operators = write_onnx(graph, arguments, names, spec.as_metadata(), file, precision)
        network = OnnxDepth(file.name, threads=torch.get_num_threads())
        errors = relative_errors(*_outputs(model, network, inputs), precision)
        if graph.matches:
            alone = replace(inputs, frames={0: inputs.frames[0]})
            found = relative_errors(*_outputs(model, network, alone), precision)
            errors['depth of one frame'] = found['depth']
    one = inputs.first()
    onnx_seconds, torch_seconds = seconds(
        lambda: onnx_depth(network, one), lambda: torch_depth(model, one)
    )
    return ExportReport(
        path=str(path),
        errors=errors,
        operators=operators,
        megabytes=Path(path).stat().st_size / 1e6,
        onnx_seconds=onnx_seconds,
        torch_seconds=torch_seconds,
    )


def _outputs(
    model: DepthEstimator, network: OnnxDepth, inputs: DepthInputs
) -> tuple[dict[str, Array], dict[str, Array]]:
    """What a file says, and what the model says."""
    return dict(depth=onnx_depth(network, inputs)), dict(depth=torch_depth(model, inputs))


def describe(
    model: DepthEstimator,
    size: tuple[int, int] | None = None,
    frames: Sequence[int] | None = None,
) -> DepthSpec:
    """Description of a depth model for its file; arguments and errors as of
    ``export_depth_model``."""
    size = size or model.image_size
    if size is None:
        raise ConfigError('expected the size of the network image, got none; give --size H W')
    frames = tuple(model.frames if frames is None else frames)
    if frames not in (tuple(model.frames), (0,)):
        raise ConfigError(
            f'expected frames {tuple(model.frames)}, which {type(model).__name__} uses, or (0,), '
            f'got {frames}'
        )
    spec = DepthSpec(tuple(size), frames, 'disparity', _prior(model, tuple(size)))
    alone = replace(example_inputs(spec).first(), transforms={})
    return replace(spec, kind=_predict(model, replace(alone, frames={0: alone.frames[0]})).kind)


def _prior(model: DepthEstimator, size: tuple[int, int]) -> PriorSpec | None:
    if isinstance(model, VisionLanguageEmbodiment) and model.prior_encoder is not None:
        return PriorSpec([size])
    encoder = model.encoder
    if not isinstance(encoder, PriorEncoder):
        return None
    with torch.no_grad():
        maps = encoder.tower(torch.zeros(1, 3, *size)).maps
    sizes = list(dict.fromkeys(tuple(x.shape[-2:]) for x in maps))
    prior = encoder.depth_prior
    if isinstance(prior, EmbodiedPrior):
        return PriorSpec(sizes)
    if isinstance(prior, GroundPlanePrior) and prior.plane is not None:
        plane = prior.plane
        return PriorSpec(sizes, plane.normal.tolist(), float(plane.height), prior.max_depth)
    raise ConfigError(
        'expected a depth model whose prior is embodied depth or the ground plane of its config, '
        f'got {type(prior).__name__}'
    )


def example_inputs(spec: DepthSpec) -> DepthInputs:
    """Two scenes of smooth noise, which moves by two pixels a frame, of different focal length."""
    (rows, columns), rng = spec.image_size, np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((2, 3, rows // 8, columns // 8), np.float32))
    scene = torch.nn.functional.interpolate(coarse, spec.image_size, mode='bicubic')
    scene = scene.clamp(0, 1).numpy()
    focal = (0.6 * columns, columns)
    transforms = {frame: np.tile(np.eye(4, dtype=np.float32), (2, 1, 1)) for frame in spec.frames}
    for frame, transform in transforms.items():
        transform[:, :3, 3] = [0.002 * frame, 0, 0.002 * frame]  # the nearest plane stays in view
    return DepthInputs(
        frames={frame: np.roll(scene, 2 * frame, -1) for frame in spec.frames},
        cam2img=np.array([[[f, 0, columns / 2], [0, f, rows / 2], [0, 0, 1]] for f in focal]),
        physics_depth=rng.choice(np.array([0, 5, 30.0], np.float32), (2, rows, columns)),
        transforms={frame: x for frame, x in transforms.items() if frame},
    )


def onnx_depth(network: OnnxDepth, inputs: DepthInputs) -> Array:
    """Depth (B, H, W) of a file."""
    return network(inputs.frames, inputs.cam2img, inputs.physics_depth, inputs.transforms).values


def torch_depth(model: DepthEstimator, inputs: DepthInputs) -> Array:
    """What a file's depth must be (B, H, W): that of the model."""
    return _predict(model, inputs).values[:, 0].numpy()


@torch.no_grad()
def _predict(model: DepthEstimator, inputs: DepthInputs):
    frames = {frame: torch.from_numpy(image.copy()) for frame, image in inputs.frames.items()}
    view = CameraView(
        torch.from_numpy(inputs.cam2img).float(),
        tuple(frames[0].shape[-2:]),
        physics_depth=torch.from_numpy(inputs.physics_depth).unsqueeze(1),
    )
    if isinstance(model, ManyDepth):
        known = {frame: torch.from_numpy(x) for frame, x in inputs.transforms.items()}
        if model.teacher.pose_net is None and len(frames) > 1:
            return model.predict(frames, view, transforms=known)
    return model.predict(frames, view)
