"""Export of a detector to ONNX, and its check against PyTorch."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from mmdet3d.models.detectors import Base3DDetector

from ..bev.heads import ScaleNMSCenterHead
from ..depth.encoders.prior import GroundPlanePrior
from ..errors import ConfigError
from ..geometry import CameraRig
from .box_decoding import TaskSpec
from .calibration import Array, Calibration
from .detector_graph import DetectorGraph
from .detector_spec import DetectorSpec
from .onnx_bevdet import OnnxBEVDet
from .pooling_plan import LiftSpec
from .report import ExportReport, relative_errors, seconds
from .writer import write_onnx


def export_detector(
    model: Base3DDetector, path: str | Path, cameras: int = 6, precision: str = 'fp32'
) -> ExportReport:
    """Write a detector as an ONNX file and check it against PyTorch.

    The check runs two samples of different calibration through the file, with geometry by numpy,
    and through the model.

    Args:
        model: from ``init_bev_model``.
        path: file to write.
        cameras: number of cameras.
        precision: see ``write_onnx``.

    Raises:
        ExportError: the model cannot be exported, or the file has other outputs than the model.
        ConfigError: the model has parts that cannot be exported.
    """
    graph, spec = DetectorGraph(model).eval(), describe(model)
    images, calibration = example_images(spec, cameras), example_calibration(spec, cameras)
    given = dict(spec.geometry(calibration), images=images)
    arguments = [torch.from_numpy(given[name]) for name in graph.input_names()]
    names = graph.input_names(), graph.output_names()
    operators = write_onnx(graph, arguments, names, spec.as_metadata(), path, precision)
    detector = OnnxBEVDet(path, threads=torch.get_num_threads())
    expected = torch_outputs(model, images, calibration)
    one = images[:1], calibration.sample(0)
    return ExportReport(
        path=str(path),
        errors=relative_errors(detector.run(images, calibration), expected, precision),
        operators=operators,
        megabytes=Path(path).stat().st_size / 1e6,
        onnx_seconds=seconds(lambda: detector.run(*one)),
        torch_seconds=seconds(lambda: torch_outputs(model, *one)),
    )


def describe(model: Base3DDetector) -> DetectorSpec:
    """Description of a detector for its file.

    Raises:
        ConfigError: the model has parts that cannot be exported.
    """
    for name in ('refine', 'temporal'):
        if getattr(model, name) is not None:
            raise ConfigError(
                f'expected a detector without {name}, got {type(getattr(model, name)).__name__}, '
                'which cannot be exported'
            )
    view_transformer = model.img_view_transformer
    frustum, grid = view_transformer.frustum, view_transformer.grid
    prior = DetectorGraph(model).prior_encoder
    ground_depth = None
    if prior is not None:
        if not isinstance(prior.depth_prior, GroundPlanePrior):
            raise ConfigError(
                'expected a detector whose prior is the ground plane, got '
                f'{type(prior.depth_prior).__name__}: its depth is not known from the calibration'
            )
        ground_depth = prior.depth_prior.max_depth
    return DetectorSpec(
        image_size=view_transformer.space.image_size,
        lift=LiftSpec(
            u=frustum[0, 0, :, 0].tolist(),
            v=frustum[0, :, 0, 1].tolist(),
            depths=frustum[:, 0, 0, 2].tolist(),
            x=tuple(grid.x),
            y=tuple(grid.y),
            z=tuple(grid.z),
            rounding=grid.rounding,
        ),
        tasks=_tasks(model.pts_bbox_head),
        ground_depth=ground_depth,
    )


def _tasks(head: ScaleNMSCenterHead) -> list[TaskSpec]:
    coder, test_cfg = head.bbox_coder, head.test_cfg
    limits = coder.post_center_range
    if isinstance(limits, torch.Tensor):  # mmdet3d makes it one at the first decoding
        limits = limits.tolist()
    rotated = [
        head._task_option('nms_type', task) == 'rotate' for task in range(len(head.num_classes))
    ]
    return [
        TaskSpec(
            classes=list(head.class_names[task]),
            cell=[coder.out_size_factor * size for size in coder.voxel_size[:2]],
            corner=list(coder.pc_range[:2]),
            centre_range=list(limits),
            max_num=coder.max_num,
            score_threshold=coder.score_threshold or 0.0,
            log_size=head.norm_bbox,
            peak_kernel=test_cfg.get('peak_kernel'),
            nms_type='rotate' if rotates else 'circle',
            nms_threshold=head._task_option('nms_thr', task)
            if rotates
            else test_cfg['min_radius'][task],
            nms_factors=list(head._task_option('nms_rescale_factor', task, nested=True))
            if rotates
            else [1.0] * head.num_classes[task],
            pre_max_size=test_cfg.get('pre_max_size', coder.max_num),
            post_max_size=test_cfg['post_max_size'],
        )
        for task, rotates in enumerate(rotated)
    ]


def example_images(spec: DetectorSpec, cameras: int) -> Array:
    """Two samples (2, N, 3, H, W) of noise in [0, 1]."""
    return np.random.default_rng(0).random((2, cameras, 3, *spec.image_size), np.float32)


def example_calibration(spec: DetectorSpec, cameras: int) -> Calibration:
    """Two cars with cameras all around, of different focal length, height and pitch."""
    rigs = [
        _ring(spec.image_size, cameras, focal=0.8, height=1.5, pitch=0.0),
        _ring(spec.image_size, cameras, focal=0.65, height=2.1, pitch=0.06),
    ]
    return Calibration.of({name: np.stack([rig[name] for rig in rigs]) for name in rigs[0]})


def _ring(
    size: tuple[int, int], cameras: int, focal: float, height: float, pitch: float
) -> dict[str, Array]:
    """Cameras on a circle of 1 m, of images twice as large as the network's.

    Args:
        size: (H, W) of the network image.
        cameras: number N.
        focal: of the network image, over its width.
        height: metres.
        pitch: radians, positive if the cameras look down.
    """
    rows, columns = size
    f = 2 * focal * columns
    cam2img = np.array([[f, 0, columns], [0, f, rows], [0, 0, 1.0]])
    cos, sin = np.cos(pitch), np.sin(pitch)
    forward = np.array([[0.0, -sin, cos], [-1, 0, 0], [0, -cos, -sin]])  # camera to ego axes
    cam2ego = np.tile(np.eye(4), (cameras, 1, 1))
    for pose, yaw in zip(cam2ego, np.arange(cameras) * 2 * np.pi / cameras, strict=True):
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        pose[:3, :3], pose[:3, 3] = turn @ forward, turn @ [1, 0, height]
    half = np.diag([0.5, 0.5, 1.0])
    return dict(
        cam2img=np.tile(cam2img, (cameras, 1, 1)),
        cam2ego=cam2ego,
        img_aug=np.tile(half, (cameras, 1, 1)),
        bda=np.eye(4),
        ego2global=np.eye(4),
    )


@torch.no_grad()
def torch_outputs(
    model: Base3DDetector, images: Array, calibration: Calibration
) -> dict[str, Array]:
    """What the file's outputs must be: those of the model, with its own geometry."""
    device = next(model.parameters()).device
    rig = CameraRig(
        **{f.name: torch.from_numpy(getattr(calibration, f.name)) for f in fields(calibration)}
    ).to(device)
    inputs = dict(imgs=torch.from_numpy(images).to(device), rig=rig)
    bev, distribution = model.extract_feat(inputs)
    depth = model.img_view_transformer.bins.expectation(distribution.prob)
    outputs = {'depth': depth.unflatten(0, images.shape[:2])}
    for task, (maps,) in enumerate(model.pts_bbox_head([bev])):
        outputs |= {f'{name}_{task}': value for name, value in maps.items()}
    return {name: value.cpu().numpy() for name, value in outputs.items()}
