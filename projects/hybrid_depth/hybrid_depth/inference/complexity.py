"""Parameters and floating-point operations of a model, by part, on an input of its size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..checkpoints.build import build_model
from ..datasets.nuscenes.names import CAMERAS
from ..depth.estimators.base import DepthEstimator
from ..depth.estimators.init import training_size
from ..errors import ConfigError

_FOCAL = 0.8  # focal length of made-up cameras, image widths


@dataclass(frozen=True)
class PartCost:
    """Cost of a model or of one of its parts.

    Args:
        name: attribute of the model; 'total' for all.
        parameters: number.
        flops: of one prediction; two for a multiplication with addition.
    """

    name: str
    parameters: int
    flops: int


def model_costs(cfg: Config, size: tuple[int, int] | None = None) -> list[PartCost]:
    """Costs of a model and of its parts for one sample: a key frame, or an image.

    Operations are those that torch counts: matrix products, convolutions and attention. Sampling,
    pooling and normalisation are not counted. Needs no data and no weights.

    Args:
        cfg: complete config.
        size: (H, W) of the images of a depth model; None for that of its config. A detector's size
            is part of its architecture.

    Raises:
        ConfigError: a size for a detector, or a depth model of unknown size.
    """
    model = build_model(cfg).eval()
    if not hasattr(model, 'pts_bbox_head'):
        size = size or training_size(cfg)
        if size is None:
            raise ConfigError(f'{cfg.filename}: expected --size HEIGHT WIDTH, got none')
        predict = _depth_prediction(model, size)
    elif size is None:
        predict = _detection(model, cfg)
    else:
        raise ConfigError("expected no --size, as a detector's is part of its config")
    counter, flops = FlopCounterMode(display=False), Counter()
    parts = {n: part for n, part in model.named_children() if n != 'data_preprocessor'}
    hooks = [hook for name, part in parts.items() for hook in _watch(part, name, counter, flops)]
    with torch.no_grad(), counter:
        predict()
    for hook in hooks:
        hook.remove()
    total = PartCost('total', _parameters(model), counter.get_total_flops())
    return [total, *(PartCost(n, _parameters(part), flops[n]) for n, part in parts.items())]


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _watch(part: nn.Module, name: str, counter: FlopCounterMode, flops: Counter) -> list:
    """Hooks that add what a part computes to its count."""
    starts = []

    def add(*_: object) -> None:
        flops[name] += counter.get_total_flops() - starts.pop()

    return [
        part.register_forward_pre_hook(lambda *_: starts.append(counter.get_total_flops())),
        part.register_forward_hook(add),
    ]


def _depth_prediction(model: DepthEstimator, size: tuple[int, int]) -> Callable[[], object]:
    frames = {frame: torch.rand(1, 3, *size) for frame in model.frames}
    return lambda: model.predict(frames, _intrinsics(size)[None])


def _detection(model: nn.Module, cfg: Config) -> Callable[[], object]:
    data = detection_inputs(model, cfg)

    def predict() -> None:
        with DefaultScope.overwrite_default_scope('mmdet3d'):
            model.test_step(data())

    return predict


def detection_inputs(model: nn.Module, cfg: Config) -> Callable[[], dict]:
    """Function that makes a batch of one key frame of a ring of made-up cameras.

    Args:
        model: detector.
        cfg: its config, whose test set has the number of cameras and of earlier frames.
    """
    dataset = cfg.test_dataloader.dataset
    names = dataset.get('cameras', CAMERAS)
    size = model.img_view_transformer.space.image_size
    images = torch.randint(256, (len(names), 3, *size), dtype=torch.uint8)
    frame = dict(img=images, rig=_ring(len(names), size))
    inputs = dict(frame, physics_depth=torch.zeros(len(names), *size))
    if number := dataset.get('num_adj'):
        inputs['adjacent'] = [frame] * number
    unit = np.eye(4)
    meta = dict(token='', sequence=('', 0), timestamp=0.0, lidar2ego=unit, lidar2boxes=unit)
    return lambda: pseudo_collate([dict(inputs=inputs, data_samples=_empty_sample(meta))])


def _empty_sample(meta: dict) -> object:
    from mmdet3d.structures import Box3DMode, Det3DDataSample, LiDARInstance3DBoxes

    kind = dict(box_type_3d=LiDARInstance3DBoxes, box_mode_3d=Box3DMode.LIDAR)
    return Det3DDataSample(metainfo=meta | kind)


def _ring(number: int, size: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Calibration of cameras at 1.5 m that look around, float64."""
    yaw = torch.arange(number, dtype=torch.float64) * (2 * math.pi / number)
    pose = torch.eye(4, dtype=torch.float64).repeat(number, 1, 1)
    zero = torch.zeros_like(yaw)
    pose[:, :3, 0] = torch.stack([yaw.sin(), -yaw.cos(), zero], 1)  # x axis: to the right
    pose[:, :3, 1] = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)
    pose[:, :3, 2] = torch.stack([yaw.cos(), yaw.sin(), zero], 1)
    pose[:, 2, 3] = 1.5
    unit = torch.eye(4, dtype=torch.float64)
    return dict(
        cam2img=_intrinsics(size).double().repeat(number, 1, 1),
        cam2ego=pose,
        img_aug=unit[:3, :3].repeat(number, 1, 1),
        bda=unit,
        ego2global=unit,
    )


def _intrinsics(size: tuple[int, int]) -> torch.Tensor:
    """(3, 3) intrinsics of a made-up camera, pixels."""
    rows, columns = size
    focal = _FOCAL * columns
    return torch.tensor([[focal, 0, columns / 2], [0, focal, rows / 2], [0, 0, 1]])


def cost_table(costs: list[PartCost]) -> str:
    """Costs as text, one line per part."""
    rows = [('part', 'parameters, 10^6', 'operations, 10^9')]
    rows += [(c.name, f'{c.parameters / 1e6:.2f}', f'{c.flops / 1e9:.2f}') for c in costs]
    return '\n'.join(f'{name:26} {parameters:>17} {flops:>17}' for name, parameters, flops in rows)
