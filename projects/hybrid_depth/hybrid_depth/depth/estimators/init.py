"""Depth models for inference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...checkpoints.build import build_model
from ...devices import for_inference
from ...engine.model_files import load_weights, read_model_config
from ...errors import ConfigError
from ...releases.zoo import resolve
from .base import DepthEstimator
from .calibrated import CalibratedDepth


def init_depth_model(
    config: str | Path | Config, checkpoint: str | Path | None = None, device: str = 'cpu'
) -> DepthEstimator:
    """Build a depth model for inference.

    The model has `predict(frames)` -> `DepthMap` (see `DepthEstimator.predict`), and the attribute
    `image_size`, the training size (H, W) from its checkpoint or its config, else None.
    `Monodepth2` also has `relative_pose(first, second)` -> (B, 4, 4). With a checkpoint of
    `hybrid-depth calibrate` it is a `CalibratedDepth`, which predicts metres.

    Args:
        config: config file or config with a depth model; its foundation weights are not loaded.
            Or a name of the zoo (docs/zoo.md), such as 'monodepth2_mono_640x192', whose weights
            are downloaded and converted once.
        checkpoint: from training or `hybrid-depth convert-checkpoint`; loaded strictly. None
            leaves random weights, with a warning, except for a name of the zoo and models
            with weights by name (`TransformersDepth`, `DepthAnything3`).
        device: device of the model.

    Raises:
        FileNotFoundError: config or checkpoint does not exist.
        ConfigError: the config has no depth model.
        UnsafeCheckpointError, RuntimeError: the checkpoint is unsafe or damaged.
        CheckpointMismatchError: the weights are those of another model.
        DownloadError, ReleaseError: a release of the zoo cannot be had or is another.
        DeviceError: PyTorch cannot use the device.

    Example:
        >>> encoder = dict(type='TimmDepthEncoder', name='test_resnet')
        >>> decoder = dict(type='Monodepth2Decoder', in_strides=[2, 4, 8, 16, 32])
        >>> model = dict(type='Monodepth2', encoder=encoder, decoder=decoder, pose_net=None)
        >>> model = init_depth_model(Config(dict(model=model)))  # warns: random weights
        >>> prediction = model.predict({0: torch.rand(1, 3, 64, 96)})
        >>> prediction.values.shape, prediction.kind
        (torch.Size([1, 1, 64, 96]), 'disparity')
    """
    config, checkpoint = resolve(config, checkpoint)
    cfg = read_model_config(config)
    model = build_model(cfg)
    if not isinstance(model, DepthEstimator):
        raise ConfigError(
            f'init_depth_model expected a config with a depth model, got {type(model).__name__}'
        )
    meta = load_weights(model, checkpoint)
    size = meta.get('image_size') or training_size(cfg)
    model.image_size = None if size is None else tuple(size)
    return CalibratedDepth.from_meta(for_inference(model, device), meta, str(checkpoint))


def training_size(cfg: Config) -> tuple[int, int] | None:
    """Image size (H, W) of the test pipeline of a config, else of its training pipeline."""
    for loader in ('test_dataloader', 'train_dataloader'):
        node: Any = cfg.get(loader)
        for key in ('dataset', 'pipeline'):
            node = node.get(key) if isinstance(node, dict) else None
        for step in node or ():
            if step.get('type') == 'ResizeFrames':
                width, height = step['size']
                return height, width
    return None
