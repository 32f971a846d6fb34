"""Export of the model of a config and its checkpoint."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from ..engine.model_files import read_model_config
from ..inference.bev import init_bev_model
from .report import ExportReport
from .writer import require_exporter


def export_model(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    out: str | Path,
    precision: str = 'fp32',
    cameras: int = 6,
) -> ExportReport:
    """Write a model as an ONNX file and check it against PyTorch.

    Args:
        config: config file or config.
        checkpoint: weights; None for random ones.
        out: file to write.
        precision: ``fp32`` or ``fp16``.
        cameras: number of cameras of a detector.

    Raises:
        ExportError: onnx or onnxruntime is not installed, the model cannot be exported, or the file
            has other outputs than the model.
        ConfigError: the config has no model, or one with parts that cannot be exported.
    """
    require_exporter()
    cfg = read_model_config(config)
    from .detector import export_detector

    return export_detector(init_bev_model(cfg, checkpoint), out, cameras, precision)
