"""Export of the model of a config and its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import MODELS

from ..depth.estimators import DepthEstimator
from ..depth.estimators.init import init_depth_model
from ..engine.model_files import read_model_config
from ..errors import ConfigError
from .report import ExportReport
from .writer import require_exporter


def export_model(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    out: str | Path,
    precision: str = 'fp32',
    cameras: int = 6,
    head: str = 'maps',
    size: tuple[int, int] | None = None,
    frames: Sequence[int] | None = None,
    int8: str | Path | None = None,
    samples: int = 32,
) -> ExportReport:
    """Write a model as an ONNX file and check it against PyTorch.

    Args:
        config: config file or config.
        checkpoint: weights; None for random ones.
        out: file to write.
        precision: ``fp32`` or ``fp16``.
        cameras: number of cameras of a detector.
        head: what the file of a detector ends with: ``maps``, ``boxes`` or ``nms``.
        size, frames: of a depth model, see ``export_depth_model``.
        int8: quantise convolutions to 8 bits, with the ranges of activations on these key frames
            (info file, detectors) or images (path, depth models of one frame).
        samples: largest number of these.

    Raises:
        ExportError: onnx or onnxruntime is not installed, the model cannot be exported, or the file
            has other outputs than the model.
        ConfigError: the config has no model, or one with parts that cannot be exported.
    """
    require_exporter()
    if int8 is not None and precision != 'fp32':
        raise ConfigError(f'expected --precision fp32 with --int8, got {precision}; omit one')
    cfg = read_model_config(config)
    if _is_depth_model(cfg):
        from .depth_model import export_depth_model

        model = init_depth_model(cfg, checkpoint)
        report = export_depth_model(model, out, size, frames, precision)
    else:
        from ..inference.bev import init_bev_model  # needs mmdet3d
        from .detector import export_detector

        model = init_bev_model(cfg, checkpoint)
        report = export_detector(model, out, cameras, precision, head)
    if int8 is None:
        return report

    from .int8 import depth_samples, detector_samples, quantize_file

    if _is_depth_model(cfg):
        return quantize_file(report, depth_samples(report.path, int8, samples))
    return quantize_file(report, detector_samples(report.path, model, int8, samples))


def use_onnx_file(cfg: Config, file: str | Path) -> None:
    """Replace the model of a config by its file, for the test loop."""
    preprocessor = cfg.model.get('data_preprocessor')
    if _is_depth_model(cfg):
        from . import tested_depth  # noqa: F401 (registers it)

        name = 'OnnxDepthModel'
    else:
        from . import tested_detector  # noqa: F401 (registers it)

        name = 'mmdet3d.OnnxDetector'
    cfg.model = dict(type=name, file=str(file), data_preprocessor=preprocessor)


def _is_depth_model(cfg: Config) -> bool:
    kind = MODELS.get(cfg.model['type'])
    return kind is not None and issubclass(kind, DepthEstimator)
