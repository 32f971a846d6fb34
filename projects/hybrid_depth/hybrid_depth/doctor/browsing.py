"""Samples of a data set as the model sees them, drawn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from ..config_errors import explained
from ..errors import ConfigError
from ..files import file_name
from ..foundation.images import unit_range
from ..visualization.depth import colorize_depth
from ..visualization.panels import grid, stack
from ..visualization.png import write_png
from .case import spaced

_DEPTH_RANGE = (2.0, 80.0)  # metres, of the colours
_BEV = 640  # pixels


def browse(
    cfg: Config, loader: str, out: str | Path, number: int, repeat: int = 1, seed: int = 0
) -> Iterator[Path]:
    """Draw samples of the data set of a data loader after its pipeline.

    Args:
        cfg: complete config.
        loader: 'train_dataloader', 'val_dataloader' or 'test_dataloader'.
        out: output folder.
        number: of samples, evenly spaced; all of smaller data sets.
        repeat: draws of each sample, with other random numbers.
        seed: of the random augmentations.

    Yields:
        ``<out>/<index>_<repetition>_<name>.png``.

    Raises:
        ConfigError: no such data loader, or samples that are neither packed by `PackBEVInputs` nor
            by `PackFrames`.
    """
    if cfg.get(loader) is None:
        raise ConfigError(f'{cfg.filename}: expected a {loader}, got none')
    scope = cfg.get('default_scope') or 'mmengine'
    with DefaultScope.overwrite_default_scope(scope), explained(cfg):
        dataset = DATASETS.build(cfg[loader].dataset)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    for index in spaced(len(dataset), number):
        for repetition in range(repeat):
            with DefaultScope.overwrite_default_scope(scope):
                packed = dataset[index]
            meta = packed['data_samples'].metainfo
            name = file_name(meta.get('token') or meta.get('name', ''))
            path = Path(out, f'{index:06d}_{repetition}_{name}.png')
            write_png(draw_sample(packed, dataset.metainfo.get('classes', ())), path)
            yield path


def draw_sample(packed: dict, classes: tuple[str, ...] = ()) -> np.ndarray:
    """A packed sample as an image.

    Args:
        packed: from `PackBEVInputs` or `PackFrames`.
        classes: names of the labels, for boxes.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ConfigError: packed by another transform.
    """
    inputs = packed.get('inputs', {})
    if 'rig' in inputs:
        return _detector_sample(packed, classes)
    if 'images' in inputs:
        return _depth_sample(inputs)
    raise ConfigError(
        f'expected a pipeline that ends with PackBEVInputs or PackFrames, got {sorted(packed)}'
    )


def _detector_sample(packed: dict, classes: tuple[str, ...]) -> np.ndarray:
    """Network images with boxes above their depth, and boxes from above with LiDAR depth."""
    from ..geometry import CameraRig
    from ..visualization import draw_bev, draw_camera_boxes
    from ..visualization.boxes import SceneBoxes

    inputs, boxes = packed['inputs'], SceneBoxes.empty()
    truth = packed['data_samples'].get('gt_instances_3d')
    if truth is not None:
        boxes = SceneBoxes.from_ego(truth.bboxes_3d, truth.labels_3d)
    rig = CameraRig.collate([inputs['rig']])
    projections = rig.ego2img()[0].double().numpy()
    images = [
        draw_camera_boxes(_pixels(image), boxes, projection, classes)
        for image, projection in zip(inputs['img'], projections, strict=True)
    ]
    parts = [grid(images)]
    parts += [
        grid([_dilated(depth) for depth in inputs[key].numpy()])
        for key in ('gt_depth', 'pseudo_depth', 'physics_depth')
        if key in inputs
    ]
    points = None
    if 'gt_depth' in inputs:
        points = _points(inputs['gt_depth'].double().numpy(), projections)
    bev = draw_bev(points, boxes, None, classes, size=_BEV)[:_BEV]  # without the legend
    return stack([stack(parts), bev], axis=1)


def _points(depth: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """(P, 3) points of depth maps (N, H, W) in the frame that (N, 3, 4) projections start from."""
    camera, v, u = np.nonzero(depth)
    rays = np.stack([u, v, np.ones_like(u)], 1) * depth[camera, v, u][:, None]
    inverse = np.linalg.inv(projections[:, :, :3])
    return np.einsum('pij,pj->pi', inverse[camera], rays - projections[camera, :, 3])


def _depth_sample(inputs: dict) -> np.ndarray:
    """Frames before and after colour augmentation, and depth maps."""
    rows = [[_pixels(image) for image in inputs['images'].values()]]
    if inputs['augmented'] is not inputs['images']:
        rows.append([_pixels(image) for image in inputs['augmented'].values()])
    size = rows[0][0].shape[:2]
    maps = [value for value in inputs.values() if _is_depth(value, size)]
    rows += [[_dilated(depth[0].numpy())] for depth in maps]
    return stack([stack(row, axis=1) for row in rows])


def _is_depth(value: object, size: tuple[int, int]) -> bool:
    return isinstance(value, torch.Tensor) and tuple(value.shape) == (1, *size)


def _pixels(image: torch.Tensor) -> np.ndarray:
    """(3, H, W) of the network as (H, W, 3) uint8."""
    return (unit_range(image).movedim(0, -1).numpy() * 255).round().astype(np.uint8)


def _dilated(depth: np.ndarray) -> np.ndarray:
    """Depth map (H, W) in colours; single points take three pixels, nearer ones on top."""
    import cv2

    near = np.where(depth > 0, 1 / np.maximum(depth, 1e-3), 0).astype(np.float32)
    near = cv2.dilate(near, np.ones((3, 3)))
    return colorize_depth(np.where(near > 0, 1 / np.maximum(near, 1e-6), 0), *_DEPTH_RANGE)
