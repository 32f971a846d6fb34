"""Ready-made roots with info files, for tests of data, transforms and metric."""

from __future__ import annotations

from pathlib import Path

from hybrid_depth.bev.datasets.nuscenes import NuScenesBEVDataset
from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from tests.datasets.fake_nuscenes import write_fake_nuscenes
from tests.golden.bevdet import keyframe


def fake_root(folder: Path) -> Path:
    """A fake root with info files in it."""
    root = write_fake_nuscenes(folder / 'fake')
    create_nuscenes_infos(root, 'v1.0-mini')
    return root


def keyframe_dataset(real_data: Path, folder: Path, **kwargs) -> NuScenesBEVDataset:
    """The golden recipe's real keyframe; its info file is written to ``folder``."""
    root = keyframe(real_data)
    create_nuscenes_infos(root, 'v1.0-mini', out=folder)
    return NuScenesBEVDataset(
        data_root=str(root), ann_file=str(folder / 'nuscenes_infos_train.pkl'), **kwargs
    )
