"""Keyframes of the toy world, from a config's data set."""

from pathlib import Path

from mmdet3d.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from tests.conftest import ROOT


def training_keyframe(config: str, root: Path, folder: Path, index: int) -> dict:
    """Packed sample of a config's training data set.

    Args:
        config: in configs/toy.
        root: toy nuScenes root.
        folder: output folder of its info files.
        index: index of the keyframe.
    """
    create_nuscenes_infos(root, 'v1.0-mini', folder)
    cfg = Config.fromfile(ROOT / f'configs/toy/{config}.py').train_dataloader.dataset.dataset
    cfg.update(data_root=str(root), ann_file=str(folder / 'nuscenes_infos_train.pkl'))
    with DefaultScope.overwrite_default_scope('mmdet3d'):
        return DATASETS.build(cfg)[index]
