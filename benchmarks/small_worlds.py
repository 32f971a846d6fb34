"""Toy worlds and configs of a few frames, for benchmarks of reliability."""

from pathlib import Path

import numpy as np
from PIL import Image

from hybrid_depth.datasets.nuscenes.infos import create_nuscenes_infos
from hybrid_depth.datasets.nuscenes.table_digests import changed_tables
from hybrid_depth.info_files import read_infos
from hybrid_depth.toy_world import make_toy_world

REPOSITORY = Path(__file__).resolve().parents[1]
DETECTOR = """
_base_ = '{base}'
data_root = '{root}/'
train = dict(data_root=data_root, ann_file='{infos}/nuscenes_infos_train.pkl')
test = dict(data_root=data_root, ann_file='{infos}/nuscenes_infos_val.pkl')
train_dataloader = dict(batch_size={batch}, dataset=dict(dataset=train))
test_dataloader = dict(num_workers=0, dataset=test)
test_evaluator = test
train_cfg = dict(max_epochs={epochs})
custom_hooks = [dict(type='DepthFirstHook', epochs={depth_epochs})]
default_hooks = dict(checkpoint=dict(interval=1))
if {history}:
    default_hooks.update(sequential=dict(start_epoch={depth_epochs}))
"""
DEPTH = """
_base_ = '{base}'
data_root = '{root}/'
model = dict(init_cfg=None)
train_dataloader = dict(batch_size=2, num_workers=0, dataset=dict(data_root=data_root))
val_dataloader = val_evaluator = val_cfg = None
train_cfg = dict(val_interval=1000, max_epochs={epochs})
default_hooks = dict(checkpoint=dict(interval=1))
"""


def small_detector(folder: Path, name: str, epochs: int, depth_epochs: int = 1) -> Path:
    """Config of a toy detector on scenes of two keyframes of 128 x 72 pixels."""
    infos, history = small_infos(folder), 'history' in name
    text = DETECTOR.format(
        base=REPOSITORY / 'configs' / 'toy' / f'{name}.py',
        root=folder / 'nuscenes',
        infos=infos,
        batch=2 if history else 1,
        epochs=epochs,
        depth_epochs=depth_epochs,
        history=history,
    )
    return _written(folder / f'{name}.py', text)


def small_infos(folder: Path) -> Path:
    """Folder of the info files of three scenes of two keyframes, whose root is `nuscenes`."""
    root, infos = folder / 'nuscenes', folder / 'infos'
    make_toy_world(root, 3, 2, size=(128, 72), workers=1, keep=True)
    last = infos / 'nuscenes_infos_val.pkl'
    if not last.exists() or changed_tables(read_infos(last)['metainfo'], root):
        create_nuscenes_infos(root, 'v1.0-mini', infos)
    return infos


def small_depth_model(folder: Path, name: str, epochs: int) -> Path:
    """Config of a toy depth model on drives of nine frames of 160 x 48 pixels."""
    root = folder / 'kitti'
    make_toy_world(root, 2, 2, size=(160, 48), workers=1, layout='kitti', keep=True)
    base = REPOSITORY / 'configs' / 'toy' / f'{name}.py'
    return _written(folder / f'{name}.py', DEPTH.format(base=base, root=root, epochs=epochs))


def small_images(folder: Path) -> Path:
    """Folder of 24 images of 160 x 48 pixels."""
    images = folder / 'images'
    if not images.exists():
        images.mkdir()
        generator = np.random.default_rng(0)
        for number in range(24):
            pixels = generator.integers(0, 255, (48, 160, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(images / f'{number:02}.png')
    return images


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
