"""Export of a detector to ONNX, and its check against PyTorch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from mmdet3d.models.detectors import Base3DDetector

from ..bev.heads import ScaleNMSCenterHead
from ..bev.temporal import AdjacentFrames, History
from ..depth.encoders.prior import GroundPlanePrior
from ..errors import ConfigError
from ..files import atomic_file
from .box_decoding import TaskSpec
from .calibration import Array
from .detector_graph import DetectorGraph, prior_encoder
from .detector_spec import DetectorSpec
from .earlier_frames import EarlierSpec
from .example_scene import earlier_frames, example_scene, onnx_outputs, torch_outputs
from .onnx_bevdet import OnnxBEVDet
from .pillar_plan import PillarSpec
from .pooling_plan import LiftSpec
from .report import ExportReport, relative_errors, seconds
from .writer import write_onnx


def export_detector(
    model: Base3DDetector,
    path: str | Path,
    cameras: int = 6,
    precision: str = 'fp32',
    head: str = 'maps',
) -> ExportReport:
    """Write a detector as an ONNX file and check it against PyTorch.

    The check runs two samples of different calibration through the file, with geometry by numpy,
    and through the model.

    Args:
        model: from ``init_bev_model``.
        path: file to write.
        cameras: number of cameras.
        precision: see ``write_onnx``.
        head: what the file ends with, see ``DetectorSpec``.

    Raises:
        ExportError: the model cannot be exported, or the file has other outputs than the model.
        ConfigError: the model has parts that cannot be exported.
    """
    spec = replace(describe(model), head=head)
    graph = DetectorGraph(model, spec).eval()
    scene = example_scene(spec, cameras)
    arguments = [torch.from_numpy(scene.inputs(spec)[name]) for name in graph.input_names()]
    names = graph.input_names(), graph.output_names()
    with atomic_file(path) as file:
        operators = write_onnx(
            graph, arguments, names, spec.as_metadata(), file, precision, graph.free_axes()
        )
        detector = OnnxBEVDet(file.name, threads=torch.get_num_threads())
        found, expected = onnx_outputs(detector, scene), torch_outputs(model, scene)
        if head != 'maps':
            found, expected = _scores(detector, found), _scores(detector, expected)
        errors = relative_errors(found, expected, precision)
    one = scene.first()
    frames = earlier_frames(detector, one)
    if spec.earlier is not None and spec.earlier.align == 'recurrent':
        one = replace(one, earlier=())  # as in the file, earlier frames cost nothing
    onnx_seconds, torch_seconds = seconds(
        lambda: detector.run(one.images, one.calibration, frames),
        lambda: torch_outputs(model, one),
    )
    return ExportReport(
        path=str(path),
        errors=errors,
        operators=operators,
        megabytes=Path(path).stat().st_size / 1e6,
        onnx_seconds=onnx_seconds,
        torch_seconds=torch_seconds,
    )


def _scores(detector: OnnxBEVDet, outputs: dict[str, Array]) -> dict[str, Array]:
    """Depth, and the scores of the boxes of all samples, by descending score.

    Boxes of equal score up to rounding may change places.
    """
    boxes = detector.decode(outputs)
    scores = np.concatenate([np.sort(each.scores)[::-1] for each in boxes])
    return dict(depth=outputs['depth'], scores=scores)


def describe(model: Base3DDetector) -> DetectorSpec:
    """Description of a detector for its file.

    Raises:
        ConfigError: the model has parts that cannot be exported.
    """
    view_transformer = model.img_view_transformer
    frustum, grid = view_transformer.frustum, view_transformer.grid
    prior = prior_encoder(model)
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
        channels=view_transformer.space.channels,
        tasks=task_specs(model.pts_bbox_head),
        ground_depth=ground_depth,
        refine=_pillar_spec(model),
        earlier=_earlier_spec(model),
    )


def _pillar_spec(model: Base3DDetector) -> PillarSpec | None:
    if model.refine is None:
        return None
    projection = model.backward_projection
    return PillarSpec(
        heights=tuple(projection.anchor_heights),
        consistency=projection.consistency,
        bin_centres=projection.bins.centres.tolist(),
        bin_edges=projection.bins.edges.tolist(),
    )


def _earlier_spec(model: Base3DDetector) -> EarlierSpec | None:
    temporal = model.temporal
    if temporal is None:
        return None
    if isinstance(temporal, AdjacentFrames):
        return EarlierSpec(temporal.num_adj, temporal.align, temporal.warp_align)
    if not isinstance(temporal, History):
        raise ConfigError(
            'expected a detector without temporal fusion or with AdjacentFrames or History, got '
            f'{type(temporal).__name__}, which cannot be exported'
        )
    levels = temporal.space.grid.size[2]
    if levels > 1:
        raise ConfigError(
            f'expected a detector with History on a grid of one level, got {levels} levels: ONNX '
            'samples volumes from opset 20 on; export a model with a grid of one level in z'
        )
    fusion = temporal.modules['history_fusion']
    return EarlierSpec(fusion.num_frames, 'recurrent', fusion.warp_align)


def task_specs(head: ScaleNMSCenterHead) -> list[TaskSpec]:
    """Decoding and NMS of every task of a head."""
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
            probability_scores=head.probability_scores,
        )
        for task, rotates in enumerate(rotated)
    ]
