"""Static quantisation of an exported file to 8 bits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from ..errors import DepthDataError
from ..files import atomic_file
from ..inference.bev import keyframes
from ..inference.image_streams import ImageStream
from .calibration import Array
from .onnx_bevdet import OnnxBEVDet
from .onnx_depth import OnnxDepth
from .report import ExportReport, relative_errors, seconds

if TYPE_CHECKING:
    from mmdet3d.models.detectors import Base3DDetector

# Others stay in float32: pooling, sampling, softmax and what decodes boxes.
QUANTIZED = ('Conv',)
# BEV maps are sums over very different numbers of pixels, for which 8 bits are too few, and the
# head's maps are positions and sizes (docs/results.md, "Export").
FULL_PRECISION = ('img_bev_encoder_backbone', 'img_bev_encoder_neck', 'pts_bbox_head')


def quantize_file(report: ExportReport, samples: Sequence[dict[str, Array]]) -> ExportReport:
    """Quantise the convolutions of a file of float32, in place.

    By onnxruntime: weights by channel, activations by tensor with the range that they have on the
    samples, both as QuantizeLinear and DequantizeLinear around the convolution.

    Args:
        report: of the file.
        samples: inputs by name, for the ranges.

    Returns:
        The report of the new file, with its errors against the old one on the first sample.

    Raises:
        DepthDataError: no samples.
    """
    if not samples:
        raise DepthDataError('expected samples to calibrate 8 bits with, got none')
    expected = _run(report.path, samples[0])
    model = _quantized(report.path, samples)
    with atomic_file(report.path) as file:
        file.write(model.SerializeToString())
    return replace(
        report,
        reference='the file of float32',
        errors=relative_errors(_run(report.path, samples[0]), expected, 'int8'),
        operators=Counter(node.op_type for node in model.graph.node),
        megabytes=Path(report.path).stat().st_size / 1e6,
        onnx_seconds=seconds(_caller(report.path, samples[0]))[0],
    )


def _quantized(path: str, samples: Sequence[dict[str, Array]]):
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Samples(CalibrationDataReader):
        def __init__(self):
            self.left = iter(samples)

        def get_next(self):
            return next(self.left, None)

    with TemporaryDirectory() as folder:
        prepared, quantized = str(Path(folder, 'prepared.onnx')), str(Path(folder, 'int8.onnx'))
        quant_pre_process(path, prepared, skip_symbolic_shape=True)
        kept = [node.name for node in onnx.load(prepared).graph.node if _stays(node.name)]
        options = dict(
            per_channel=True, op_types_to_quantize=list(QUANTIZED), nodes_to_exclude=kept
        )
        quantize_static(prepared, quantized, Samples(), **options)
        model = onnx.load(quantized)
    del model.metadata_props[:]
    model.metadata_props.extend(onnx.load(path).metadata_props)
    onnx.checker.check_model(model)
    return model


def _stays(node: str) -> bool:
    """Whether a node stays in float32, from the modules in its name."""
    return any(f'/{module}/' in node for module in FULL_PRECISION)


def _caller(path: str, sample: dict[str, Array]):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    names = [each.name for each in session.get_outputs()]
    return lambda: dict(zip(names, session.run(None, sample), strict=True))


def _run(path: str, sample: dict[str, Array]) -> dict[str, Array]:
    return _caller(path, sample)()


def detector_samples(
    path: str, model: Base3DDetector, infos: str | Path, count: int
) -> list[dict[str, Array]]:
    """Inputs of a detector's file for key frames, evenly spaced over an info file.

    Args:
        path: the file.
        model: from ``init_bev_model``, for the pipeline and data root of its config.
        infos: info file.
        count: largest number of key frames.
    """
    root = model.cfg.test_dataloader.dataset.get('data_root')
    detector, dataset = OnnxBEVDet(path), keyframes(model, infos, root)
    places = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int)
    samples = []
    for place in places:
        inputs = dataset[int(place)]['inputs']
        rig = {name: value.numpy() for name, value in inputs['rig'].items()}
        given = detector.inputs(inputs['img'].numpy(), rig)
        samples.append(detector.file.fitting(given))
    return samples


def depth_samples(path: str, images: str | Path, count: int) -> list[dict[str, Array]]:
    """Inputs of a depth model's file of one frame, without camera, for the first images.

    Args:
        path: the file.
        images: image, folder or video.
        count: largest number of images.

    Raises:
        DepthDataError: a file that takes several frames or intrinsics.
    """
    network = OnnxDepth(path)
    size, samples = tuple(network.spec.image_size), []
    for item in islice(ImageStream(images), count):
        image = item.image.resize(size[::-1], Image.Resampling.LANCZOS)
        pixels = np.asarray(image).transpose(2, 0, 1)
        samples.append(network.file.fitting(network.inputs(pixels)))
    return samples
