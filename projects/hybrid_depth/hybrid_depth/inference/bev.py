"""3D detection on keyframes of an info file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DATASETS, DefaultScope

from ..checkpoints.build import build_model
from ..config_errors import explained
from ..devices import for_inference
from ..engine.model_files import load_weights, read_model_config
from ..errors import ConfigError, HybridDepthError
from ..releases.zoo import resolve

if TYPE_CHECKING:
    from mmdet3d.models.detectors import Base3DDetector
    from mmdet3d.structures import Det3DDataSample


class KeyframeNotFoundError(HybridDepthError, IndexError):
    """Keyframe that is not in the info file."""


def init_bev_model(
    config: str | Path | Config, checkpoint: str | Path | None = None, device: str = 'cpu'
) -> Base3DDetector:
    """Build a detector for inference; `model.cfg` is its config.

    Arguments and errors as of `init_depth_model`; needs mmdet3d.

    Example:
        >>> model = init_bev_model('configs/toy/bevdet_plain_toy.py')  # warns: random weights
        >>> type(model).__name__, model.training
        ('BEVDet', False)
    """
    config, checkpoint = resolve(config, checkpoint)
    cfg = read_model_config(config)
    model = build_model(cfg)
    if not hasattr(model, 'pts_bbox_head'):
        raise ConfigError(
            f'init_bev_model expected a config with a detector, got {type(model).__name__}'
        )
    load_weights(model, checkpoint)
    model.cfg = cfg
    return for_inference(model, device)


def keyframes(
    model: Base3DDetector, ann_file: str | Path, data_root: str | Path | None = None
) -> BaseDataset:
    """Data set of an info file with the test pipeline of the model's config.

    Args:
        model: from `init_bev_model`.
        ann_file: info file of `hybrid-depth create-nuscenes-infos` or `hybrid-depth rig import`.
        data_root: data folder; None for the folder of the info file.

    Raises:
        FileNotFoundError: no such info file.
        ConfigError: the config has no test data.
    """
    path = Path(ann_file).absolute()
    if not path.is_file():
        raise FileNotFoundError(
            f'expected an info file, got {ann_file}, which does not exist; make it with: '
            'hybrid-depth create-nuscenes-infos --root ROOT --version VERSION, or with: '
            'hybrid-depth rig import RIG.yaml'
        )
    if 'test_dataloader' not in model.cfg:
        raise ConfigError('infer_bev expected a config with a test_dataloader, got one without')
    cfg = dict(model.cfg.test_dataloader.dataset)
    cfg.update(data_root=str(data_root or path.parent), ann_file=str(path), test_mode=True)
    with DefaultScope.overwrite_default_scope('mmdet3d'), explained(model.cfg):
        return DATASETS.build(cfg)


@torch.no_grad()
def infer_bev(
    model: Base3DDetector,
    ann_file: str | Path,
    index: int | str = 0,
    data_root: str | Path | None = None,
) -> Det3DDataSample:
    """3D detections of one keyframe.

    Args:
        model: from `init_bev_model`.
        ann_file, data_root: see `keyframes`.
        index: index of the keyframe in the info file (sorted by time), or its token.

    Returns:
        `pred_instances_3d` with `bboxes_3d` (LiDAR frame), `scores_3d` and `labels_3d`, and
        `pred_depth`, the depth net's expected depth (N, h, w) in metres.

    Raises:
        FileNotFoundError: the info file or an image does not exist.
        KeyframeNotFoundError: no such keyframe.

    Example:
        >>> model = init_bev_model('configs/toy/bevdet_plain_toy.py')
        >>> sample = infer_bev(model, 'data/toy/nuscenes_infos_val.pkl')  # doctest: +SKIP
        >>> sample.pred_instances_3d.bboxes_3d  # doctest: +SKIP
    """
    dataset = keyframes(model, ann_file, data_root)
    place = find_keyframe(dataset, index)
    for earlier in frames_before(dataset, place):
        infer_sample(model, dataset[earlier])
    return infer_sample(model, dataset[place])


def find_keyframe(dataset: BaseDataset, index: int | str) -> int:
    """Index of a keyframe from an index or token.

    Raises:
        KeyframeNotFoundError: no such keyframe.
    """
    if isinstance(index, int) and -len(dataset) <= index < len(dataset):
        return index % len(dataset)
    for place in range(len(dataset)):
        if dataset.get_data_info(place)['token'] == index:
            return place
    raise KeyframeNotFoundError(
        f'expected a keyframe of 0 to {len(dataset) - 1}, or its token, got {index!r}'
    )


def in_order(dataset: BaseDataset) -> list[int]:
    """Indices of all keyframes, ordered by sequence if the data set has sequences."""
    if dataset.sequence_length is None:
        return list(range(len(dataset)))
    return [place for sequence in dataset.sequences() for place in sequence]


def by_scene(dataset: BaseDataset, places: list[int]) -> list[int]:
    """The same indices, all of a scene together and in their order."""
    members: dict[str, list[int]] = {}
    for place in places:
        scene = dataset.get_data_info(place).get('scene_token', '')
        members.setdefault(scene, []).append(place)
    return [place for scene in members.values() for place in scene]


def frames_before(dataset: BaseDataset, place: int) -> list[int]:
    """Indices of the earlier keyframes of the same sequence, needed by recurrent models; empty if
    the data set has no sequences."""
    if dataset.sequence_length is None:
        return []
    sequence = next(s for s in dataset.sequences() if place in s)
    return sequence[: sequence.index(place)]


def infer_sample(model: Base3DDetector, packed: dict) -> Det3DDataSample:
    """3D detections of one sample of `keyframes`."""
    return infer_samples(model, [packed])[0]


def infer_samples(model: Base3DDetector, packed: list[dict]) -> list[Det3DDataSample]:
    """3D detections of samples of `keyframes` in one forward pass; for models without a history."""
    with DefaultScope.overwrite_default_scope('mmdet3d'), torch.no_grad():
        return model.test_step(pseudo_collate(packed))
